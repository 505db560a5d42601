"""The clients that people have, unchanged."""

import contextlib
import filecmp
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import time

import pytest
from house import TOP, word

OLD_PYTHON = TOP / "build" / "venv-old" / "bin" / "python"
NODE_MODULES = pathlib.Path(os.environ.get("CLOISTER_NODE", TOP / "build" / "node"))
CLIENTS = TOP / "test" / "clients"


def debian(name):
    """Debian's program: another may come first in PATH"""
    path = pathlib.Path("/usr/bin") / name
    if not path.exists():
        pytest.skip(f"{name} is not installed")
    return str(path)


def run(person, *words, status=0, timeout=180, **environment):
    merged = {k: v for k, v in (person.environment() | environment).items() if v is not None}
    done = subprocess.run(list(map(str, words)), env=merged, capture_output=True, text=True, timeout=timeout, check=False)
    assert done.returncode == status, f"{' '.join(map(str, words))}: {done.returncode}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
    return done.stdout


@pytest.fixture
def tree(tmp_path):
    """files of several sizes in folders"""
    top = tmp_path / "tree"
    for i, size in enumerate([0, 1, 100, 16384, 100_000, 9 * 1024 * 1024 + 7]):
        path = top / f"folder {i % 2}" / f"file-{i}.bin"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.urandom(size))
    (top / "ünïcödé.txt").write_text("text")
    for path in top.rglob("*.*"):
        os.utime(path, (1_700_000_000, 1_700_000_000))  # S3's times are whole seconds: a file of this second looks newer than its copy
    return top


def same(a, b):
    c = filecmp.dircmp(a, b)
    todo = [c]
    while todo:
        c = todo.pop()
        assert not c.left_only and not c.right_only and not c.funny_files, (c.left_only, c.right_only)
        _, different, errors = filecmp.cmpfiles(c.left, c.right, c.common_files, shallow=False)
        assert not different and not errors
        todo += c.subdirs.values()


def test_old_boto3(house, alice, bucket):
    if not OLD_PYTHON.exists():
        pytest.skip("build/venv-old is made by ./run test")
    out = run(alice, OLD_PYTHON, CLIENTS / "old_boto3.py", house.url, bucket)
    assert json.loads(out)["version"].startswith("1.26.")


def test_aws(house, alice, bucket, tree, tmp_path):
    config = tmp_path / "config"
    config.write_text("[default]\ns3 =\n  multipart_threshold = 8MB\n  multipart_chunksize = 5MB\n  addressing_style = path\n")
    aws = [debian("aws"), "--endpoint-url", house.url, "--output", "json"]
    more = {"AWS_CONFIG_FILE": str(config)}
    run(alice, *aws, "s3", "cp", "--recursive", tree, f"s3://{bucket}/tree", **more)
    run(alice, *aws, "s3", "cp", "--recursive", f"s3://{bucket}/tree", tmp_path / "back", **more)
    same(tree, tmp_path / "back")
    assert run(alice, *aws, "s3", "sync", tree, f"s3://{bucket}/tree", **more).strip() == ""  # nothing has changed
    listed = run(alice, *aws, "s3", "ls", "--recursive", f"s3://{bucket}/", **more)
    assert len(listed.splitlines()) == 7
    got = json.loads(run(alice, *aws, "s3api", "head-object", "--bucket", bucket, "--key", "tree/folder 1/file-5.bin", **more))
    assert got["ContentLength"] == 9 * 1024 * 1024 + 7
    run(alice, *aws, "s3", "mv", f"s3://{bucket}/tree/folder 1/file-5.bin", f"s3://{bucket}/moved.bin", **more)
    run(alice, *aws, "s3", "rm", "--recursive", f"s3://{bucket}/", **more)
    run(alice, *aws, "s3", "rb", f"s3://{bucket}", **more)


def test_s3cmd(house, alice, bucket, tree, tmp_path):
    config = tmp_path / "s3cfg"
    config.write_text(f"[default]\naccess_key = {alice.access_key}\nsecret_key = {alice.secret}\nhost_base = 127.0.0.1:{house.port}\n"
                      f"host_bucket = 127.0.0.1:{house.port}\nuse_https = True\nca_certs_file = {house.ca}\ncheck_ssl_hostname = False\nbucket_location = us-east-1\n"
                      "multipart_chunk_size_mb = 5\n")
    s3cmd = [debian("s3cmd"), "-c", config, "--no-progress"]
    run(alice, *s3cmd, "put", "--recursive", f"{tree}/", f"s3://{bucket}/tree/")
    (tmp_path / "back").mkdir()
    run(alice, *s3cmd, "get", "--recursive", f"s3://{bucket}/tree/", f"{tmp_path}/back/")
    same(tree, tmp_path / "back")
    assert len(run(alice, *s3cmd, "ls", "--recursive", f"s3://{bucket}").splitlines()) == 7
    run(alice, *s3cmd, "info", f"s3://{bucket}")
    run(alice, *s3cmd, "cp", f"s3://{bucket}/tree/ünïcödé.txt", f"s3://{bucket}/copy.txt")
    run(alice, *s3cmd, "del", "--recursive", "--force", f"s3://{bucket}/")
    run(alice, *s3cmd, "rb", f"s3://{bucket}")


def test_rclone(house, alice, bucket, tree, tmp_path):
    rclone = [debian("rclone"), "--ca-cert", house.ca, "--config", "/dev/null", "--retries", "1", "--s3-upload-cutoff", "6M", "--s3-chunk-size", "5M"]
    remote = {"RCLONE_CONFIG_C_TYPE": "s3", "RCLONE_CONFIG_C_PROVIDER": "Other", "RCLONE_CONFIG_C_ENV_AUTH": "true", "RCLONE_CONFIG_C_ENDPOINT": house.url,
              "RCLONE_CONFIG_C_REGION": "us-east-1", "RCLONE_CONFIG_C_FORCE_PATH_STYLE": "true",
              "AWS_CA_BUNDLE": None,  # it has an option of its own, and trips over this
              "RCLONE_CONFIG_C_SERVER_SIDE_ENCRYPTION": "aws:kms"}  # else it takes each ETag for an MD5, with KMS-encrypted buckets of AWS too
    run(alice, *rclone, "copy", tree, f"c:{bucket}/tree", **remote)
    run(alice, *rclone, "check", "--download", tree, f"c:{bucket}/tree", **remote)
    run(alice, *rclone, "sync", f"c:{bucket}/tree", tmp_path / "back", **remote)
    same(tree, tmp_path / "back")
    (tree / "new.txt").write_text("new")
    run(alice, *rclone, "sync", tree, f"c:{bucket}/tree", **remote)
    assert json.loads(run(alice, *rclone, "size", "--json", f"c:{bucket}", **remote))["count"] == 8
    run(alice, *rclone, "moveto", f"c:{bucket}/tree/new.txt", f"c:{bucket}/tree/newer.txt", **remote)
    run(alice, *rclone, "purge", f"c:{bucket}/tree", **remote)


def test_restic(house, alice, bucket, tree, tmp_path):
    restic = [debian("restic"), "--cacert", house.ca, "-r", f"s3:{house.url}/{bucket}/repository", "--no-cache", "--quiet"]
    more = {"RESTIC_PASSWORD": "of the repository"}
    run(alice, *restic, "init", **more)
    run(alice, *restic, "backup", tree, **more)
    (tree / "more.txt").write_text("more")
    run(alice, *restic, "backup", tree, **more)
    run(alice, *restic, "check", "--read-data", **more)
    run(alice, *restic, "restore", "latest", "--target", tmp_path / "back", **more)
    same(tree, pathlib.Path(f"{tmp_path}/back{tree}"))
    run(alice, *restic, "forget", "--keep-last", "1", "--prune", **more)
    run(alice, *restic, "check", "--read-data", **more)


def test_s3fs(house, alice, bucket, tree, tmp_path):
    if not os.path.exists("/dev/fuse"):
        pytest.skip("no /dev/fuse here")
    s3fs = debian("s3fs")
    passwd, mount = tmp_path / "passwd", tmp_path / "mount"
    passwd.write_text(f"{alice.access_key}:{alice.secret}\n")
    passwd.chmod(0o600)
    mount.mkdir()
    process = subprocess.Popen([s3fs, bucket, mount, "-f", "-o", f"url={house.url},use_path_request_style,passwd_file={passwd},endpoint=us-east-1,sigv4"],
                               env=alice.environment() | {"CURL_CA_BUNDLE": str(house.ca)}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        for _ in range(100):
            if os.path.ismount(mount) or process.poll() is not None:
                break
            time.sleep(0.1)
        if process.poll() is not None:
            said = process.stderr.read().decode(errors="replace")
            if "fuse" in said and "permitted" in said:
                pytest.skip("FUSE mounts are not permitted here")
            raise AssertionError(said)
        shutil.copytree(tree, mount / "tree")
        same(tree, mount / "tree")
        os.rename(mount / "tree" / "ünïcödé.txt", mount / "renamed.txt")
        assert (mount / "renamed.txt").read_text() == "text"
        shutil.rmtree(mount / "tree")
        assert sorted(os.listdir(mount)) == ["renamed.txt"]
    finally:
        subprocess.run(["umount", mount], capture_output=True, check=False)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
        process.kill()


@pytest.mark.parametrize("script", ["aws_sdk.mjs", "minio.mjs"])
def test_javascript(house, alice, bucket, script):
    if not (NODE_MODULES / "node_modules").exists():
        pytest.skip("build/node is made by ./run test")
    node = shutil.which("node")
    if not node:
        pytest.skip("node is not installed")
    shutil.copy(CLIENTS / script, NODE_MODULES / script)  # modules are looked up from the script's folder
    out = run(alice, node, NODE_MODULES / script, house.url, bucket, NODE_EXTRA_CA_CERTS=str(house.ca))
    assert out.strip().endswith("ok")


def test_curl(house, alice, bucket, tmp_path):
    curl = [debian("curl"), "-sS", "--fail", "--cacert", house.ca, "--aws-sigv4", "aws:amz:us-east-1:s3", "--user", f"{alice.access_key}:{alice.secret}"]
    body = os.urandom(300_000)
    (tmp_path / "x").write_bytes(body)
    digest = hashlib.sha256(body).hexdigest()
    run(alice, *curl, "-T", tmp_path / "x", "-H", f"x-amz-content-sha256: {digest}", f"{house.url}/{bucket}/x")
    empty = hashlib.sha256(b"").hexdigest()
    run(alice, *curl, "-o", tmp_path / "y", "-H", f"x-amz-content-sha256: {empty}", f"{house.url}/{bucket}/x")
    assert (tmp_path / "y").read_bytes() == body
    run(alice, debian("curl"), "-sS", "--fail", "--cacert", house.ca, f"{house.url}/{bucket}/x", status=22)


def test_presigned_with_curl(house, alice, s3, bucket, tmp_path):
    s3.put_object(Bucket=bucket, Key="x " + word(), Body=b"x")
    key = s3.list_objects_v2(Bucket=bucket)["Contents"][0]["Key"]
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": key})
    assert run(alice, debian("curl"), "-sS", "--fail", "--cacert", house.ca, url) == "x"
