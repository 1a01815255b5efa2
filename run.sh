#!/bin/bash
# start my own server on 9555
cd /tmp/t
[ -f pid ] && kill $(cat pid) 2>/dev/null; sleep 0.5
rm -rf data
PAIL_ROOT_USER=root PAIL_ROOT_PASSWORD=rootsecret123 /tmp/mybuild/pail serve data --config pail.conf --listen 127.0.0.1:9555 --durability relaxed --log-level info > log 2>&1 &
echo $! > pid
sleep 1; head -5 log
