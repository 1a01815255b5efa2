// SPDX-License-Identifier: Apache-2.0
import com.amazonaws.client.builder.AwsClientBuilder.EndpointConfiguration;
import com.amazonaws.services.s3.AmazonS3;
import com.amazonaws.services.s3.AmazonS3ClientBuilder;
import com.amazonaws.services.s3.model.GetObjectRequest;
import com.amazonaws.services.s3.transfer.TransferManager;
import com.amazonaws.services.s3.transfer.TransferManagerBuilder;
import java.io.File;
import java.util.Date;

class Row {
    public static void main(String[] arguments) throws Exception {
        String bucket = System.getenv("BUCKET"), key = System.getenv("KEY"), largeKey = System.getenv("LARGE_KEY");
        String out = System.getenv("OUT");
        //SNIPPET
        s3.putObject(bucket, key, new File(System.getenv("SMALL")));
        TransferManager transfers = TransferManagerBuilder.standard().withS3Client(s3)
            .withMultipartUploadThreshold(5L << 20).withMinimumUploadPartSize(5L << 20).build();
        transfers.upload(bucket, largeKey, new File(System.getenv("LARGE"))).waitForCompletion();
        transfers.shutdownNow(false);
        s3.listObjectsV2(bucket).getObjectSummaries().forEach(o -> System.out.println("listed " + o.getKey()));
        s3.getObject(new GetObjectRequest(bucket, key), new File(out, "small"));
        s3.getObject(new GetObjectRequest(bucket, largeKey), new File(out, "large"));
        System.out.println("url " + s3.generatePresignedUrl(bucket, key, new Date(System.currentTimeMillis() + 3600_000)));
    }
}
