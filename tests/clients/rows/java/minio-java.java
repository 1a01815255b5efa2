// SPDX-License-Identifier: Apache-2.0
import io.minio.DownloadObjectArgs;
import io.minio.GetPresignedObjectUrlArgs;
import io.minio.ListObjectsArgs;
import io.minio.MinioClient;
import io.minio.Result;
import io.minio.UploadObjectArgs;
import io.minio.http.Method;
import io.minio.messages.Item;

class Row {
    public static void main(String[] arguments) throws Exception {
        String bucket = System.getenv("BUCKET"), key = System.getenv("KEY"), largeKey = System.getenv("LARGE_KEY");
        String out = System.getenv("OUT");
        //SNIPPET
        client.uploadObject(UploadObjectArgs.builder().bucket(bucket).object(key).filename(System.getenv("SMALL")).build());
        client.uploadObject(UploadObjectArgs.builder().bucket(bucket).object(largeKey)
            .filename(System.getenv("LARGE"), 5 << 20).build());
        for (Result<Item> item : client.listObjects(ListObjectsArgs.builder().bucket(bucket).recursive(true).build()))
            System.out.println("listed " + item.get().objectName());
        client.downloadObject(DownloadObjectArgs.builder().bucket(bucket).object(key).filename(out + "/small").build());
        client.downloadObject(DownloadObjectArgs.builder().bucket(bucket).object(largeKey).filename(out + "/large").build());
        System.out.println("url " + client.getPresignedObjectUrl(
            GetPresignedObjectUrlArgs.builder().method(Method.GET).bucket(bucket).object(key).build()));
        System.exit(0);
    }
}
