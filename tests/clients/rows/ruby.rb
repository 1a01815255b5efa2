small, large = s3.bucket(ENV["BUCKET"]).object(ENV["KEY"]), s3.bucket(ENV["BUCKET"]).object(ENV["LARGE_KEY"])
small.upload_file(ENV["SMALL"])
large.upload_file(ENV["LARGE"], multipart_threshold: 5 * 1024 * 1024)
s3.bucket(ENV["BUCKET"]).objects.each { |item| puts "listed #{item.key}" }
small.download_file("#{ENV["OUT"]}/small")
large.download_file("#{ENV["OUT"]}/large")
puts "url #{small.presigned_url(:get)}"
