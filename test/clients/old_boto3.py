"""A boto3 of 2023, doing what programs of 2023 do."""

import io
import json
import os
import sys

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config

url, bucket = sys.argv[1:]
s3 = boto3.client("s3", endpoint_url=url, config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}))
body = os.urandom(12 * 1024 * 1024 + 5)
s3.put_object(Bucket=bucket, Key="small", Body=b"small", Metadata={"a": "b"})
assert s3.get_object(Bucket=bucket, Key="small")["Body"].read() == b"small"
s3.upload_fileobj(io.BytesIO(body), bucket, "large", Config=TransferConfig(multipart_chunksize=5 * 1024 * 1024))
into = io.BytesIO()
s3.download_fileobj(bucket, "large", into, Config=TransferConfig(multipart_chunksize=5 * 1024 * 1024))
assert into.getvalue() == body
s3.copy({"Bucket": bucket, "Key": "large"}, bucket, "copy", Config=TransferConfig(multipart_threshold=6 * 1024 * 1024, multipart_chunksize=5 * 1024 * 1024))
assert s3.get_object(Bucket=bucket, Key="copy", Range="bytes=5242870-5242890")["Body"].read() == body[5242870:5242891]
s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": k} for k in ("small", "large", "copy")]})
assert s3.list_objects(Bucket=bucket).get("Contents") is None
print(json.dumps({"version": boto3.__version__}))
