my $bucket = $s3->bucket($ENV{BUCKET});
for (['KEY', 'SMALL'], ['LARGE_KEY', 'LARGE']) {
    my ($key, $file) = @$_;
    $bucket->add_key_filename($ENV{$key}, $ENV{$file}) or die $s3->err . ": " . $s3->errstr;
}
print "listed $_->{key}\n" for @{ $bucket->list_all->{keys} };
$bucket->get_key_filename($ENV{KEY}, 'GET', "$ENV{OUT}/small") or die;
$bucket->get_key_filename($ENV{LARGE_KEY}, 'GET', "$ENV{OUT}/large") or die;
