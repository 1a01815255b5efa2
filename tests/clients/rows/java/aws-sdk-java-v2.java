// SPDX-License-Identifier: Apache-2.0
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.S3Configuration;
import software.amazon.awssdk.services.s3.model.CompletedPart;
import software.amazon.awssdk.services.s3.presigner.S3Presigner;

class Row {
    public static void main(String[] arguments) throws Exception {
        String bucket = System.getenv("BUCKET"), key = System.getenv("KEY"), largeKey = System.getenv("LARGE_KEY");
        Path small = Path.of(System.getenv("SMALL")), large = Path.of(System.getenv("LARGE"));
        String out = System.getenv("OUT");
        //SNIPPET
        s3.putObject(r -> r.bucket(bucket).key(key), small);
        String id = s3.createMultipartUpload(r -> r.bucket(bucket).key(largeKey)).uploadId();
        byte[] bytes = java.nio.file.Files.readAllBytes(large);
        List<CompletedPart> parts = new ArrayList<>();
        for (int from = 0; from < bytes.length; from += 5 << 20) {
            int number = parts.size() + 1;
            byte[] part = java.util.Arrays.copyOfRange(bytes, from, Math.min(bytes.length, from + (5 << 20)));
            var answer = s3.uploadPart(r -> r.bucket(bucket).key(largeKey).uploadId(id).partNumber(number),
                                       RequestBody.fromBytes(part));
            /* Without a checksum: the upload was begun without an algorithm. */
            parts.add(CompletedPart.builder().partNumber(number).eTag(answer.eTag()).build());
        }
        s3.completeMultipartUpload(r -> r.bucket(bucket).key(largeKey).uploadId(id).multipartUpload(m -> m.parts(parts)));
        s3.listObjectsV2Paginator(r -> r.bucket(bucket)).contents().forEach(o -> System.out.println("listed " + o.key()));
        s3.getObject(r -> r.bucket(bucket).key(key), Path.of(out, "small"));
        s3.getObject(r -> r.bucket(bucket).key(largeKey), Path.of(out, "large"));
        try (S3Presigner presigner = S3Presigner.builder().s3Client(s3)
                 .serviceConfiguration(S3Configuration.builder().pathStyleAccessEnabled(true).build()).build()) {
            System.out.println("url " + presigner.presignGetObject(p -> p.signatureDuration(Duration.ofHours(1))
                .getObjectRequest(r -> r.bucket(bucket).key(key))).url());
        }
    }
}
