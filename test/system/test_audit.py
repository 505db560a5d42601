"""The record: complete, provable without us, and without a name in it."""

import json
import random
import shutil

import pytest
import tlog_verify
from house import refused, word


@pytest.fixture(scope="module")
def story(house, alice, bob):
    """something that happened"""
    s3 = alice.client()
    bucket = "b-" + word()
    s3.create_bucket(Bucket=bucket)
    for i in range(5):
        s3.put_object(Bucket=bucket, Key=f"k{i}", Body=b"x" * (1 if i else 100_000))
    s3.get_object(Bucket=bucket, Key="k0")["Body"].read()
    with refused("AccessDenied"):
        bob.client().get_object(Bucket=bucket, Key="k1")
    s3.delete_object(Bucket=bucket, Key="k4")
    return bucket


def test_who_saw_it(house, alice, bob, story):
    records = house.audit(bucket=story)
    acts = [(r["act"], r.get("who"), r.get("decision")) for r in records]
    assert ("object.get", alice.id, "allow") in acts
    assert ("object.get", bob.id, "deny") in acts
    assert ("object.delete", alice.id, "allow") in acts
    assert sum(a[0] == "object.put" and a[2] == "allow" for a in acts) >= 5
    denied = next(r for r in records if r.get("decision") == "deny")
    assert denied["reason"] and denied["addr"] == "127.0.0.1" and denied["key"] == bob.access_key
    assert all(r.get("who") != bob.id or r["decision"] == "deny" for r in records)


def test_filters(house, alice, bob, story):
    assert {r["who"] for r in house.audit(bucket=story, who=bob.name)} == {bob.id}
    assert all(r["act"].startswith("object.get") for r in house.audit(bucket=story, act="object.get"))
    assert house.audit(bucket=story, **{"from": "2099-01-01T00:00:00Z"}) == []
    assert house.audit(bucket=story, to="2001-01-01T00:00:00Z") == []
    by_key = house.audit(bucket=story, key="k0")
    assert {"object.put", "object.get"} <= {r["act"] for r in by_key}


def test_asking_is_recorded(house, story):
    house.audit(bucket=story)
    assert any(r["act"] == "audit.read" and r.get("who") == house.people["audrey"].id for r in house.audit(act="audit.read"))


def test_failed_proofs_are_recorded(house, alice, story):
    from house import Person
    from sigv4 import Signer
    before = len(house.audit(act="object."))
    Signer(house, Person(house, "x", alice.access_key, "wrong" * 8)).request("GET", f"/{story}/k0")
    new = house.audit()[-20:]
    assert any(r.get("decision") == "deny" and r.get("key") == alice.access_key for r in new), before


def test_only_those_who_may_ask(house, alice, story):
    for name in ("alice", "bob", "admin"):
        person = house.people[name]
        done = house.run("audit", "show", "--state", house.state, "--credentials", person.credentials, status=None)
        assert done.returncode == 5, (name, done)


def test_records_hold_no_names(house, s3, story):
    """ids and tokens, never a key or a bucket's name"""
    secret = "k-" + word(20)
    s3.put_object(Bucket=story, Key=secret, Body=b"x", Metadata={secret: secret})
    s3.get_object(Bucket=story, Key=secret)["Body"].read()
    text = json.dumps(house.audit(bucket=story))
    assert secret not in text and story not in text


@pytest.fixture(scope="module")
def exported(house, story, tmp_path_factory):
    """a copy as anybody may have it"""
    to = tmp_path_factory.mktemp("export") / "log"
    house.run("audit", "export", to, "--state", house.state)
    return to


def test_export_verifies_elsewhere(house, exported):
    records = tlog_verify.verify(exported, house.vkey)
    assert len(records) > 10
    assert records[0]["n"] == 0
    assert not any("k0" in json.dumps(r) for r in records)


def test_verify_offline(house, exported):
    done = house.run("audit", "verify", "--ledger", exported, "--vkey", house.state / "ledger.vkey", "--json")
    assert json.loads(done.stdout)["records"] == len(tlog_verify.verify(exported, house.vkey))


def test_verify_while_it_works(house):
    house.run("audit", "verify", "--state", house.state)


def test_every_flipped_byte_is_found(house, exported, tmp_path):
    """by us and by the second verifier"""
    r = random.Random(11)
    files = sorted(p for p in exported.rglob("*") if p.is_file() and p.name != "index.db")
    for path in files:
        for _ in range(2):
            copy = tmp_path / "copy"
            shutil.copytree(exported, copy)
            victim = copy / path.relative_to(exported)
            data = bytearray(victim.read_bytes())
            data[r.randrange(len(data))] ^= 1 << r.randrange(8)
            victim.chmod(0o644)
            victim.write_bytes(data)
            done = house.run("audit", "verify", "--ledger", copy, "--vkey", house.state / "ledger.vkey", status=None)
            assert done.returncode in (11, 12, 2), (path, done)
            assert done.stdout + done.stderr
            with pytest.raises((tlog_verify.Wrong, ValueError)):
                tlog_verify.verify(copy, house.vkey)
            shutil.rmtree(copy)


def test_a_removed_or_short_file_is_found(house, exported, tmp_path):
    for path in sorted(p for p in exported.rglob("*") if p.is_file()):
        for change in (lambda v: v.unlink(), lambda v: v.write_bytes(v.read_bytes()[:-1])):
            copy = tmp_path / "copy"
            shutil.copytree(exported, copy)
            change(copy / path.relative_to(exported))
            assert house.run("audit", "verify", "--ledger", copy, "--vkey", house.state / "ledger.vkey", status=None).returncode in (2, 6, 11, 12), path
            shutil.rmtree(copy)


def test_with_another_key(house, exported, tmp_path):
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    import base64
    import hashlib
    raw = b"\1" + Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    name = house.vkey.split("+")[0]
    key_id = hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4].hex()
    other = f"{name}+{key_id}+{base64.b64encode(raw).decode()}"
    (tmp_path / "other.vkey").write_text(other + "\n")
    assert house.run("audit", "verify", "--ledger", exported, "--vkey", tmp_path / "other.vkey", status=None).returncode != 0
    with pytest.raises(tlog_verify.Wrong):
        tlog_verify.verify(exported, other)


def test_prove(house, story, tmp_path):
    number = house.audit(bucket=story, act="object.get")[0]["n"]
    audrey = house.people["audrey"]
    house.run("audit", "prove", number, "--out", tmp_path / "r", "--state", house.state, "--credentials", audrey.credentials)
    record, proof = tmp_path / "r.json", tmp_path / "r.tlog-proof"
    house.run("audit", "check-proof", record, proof, "--vkey", house.state / "ledger.vkey")
    entry = record.read_bytes().rstrip(b"\n")
    assert tlog_verify.verify_proof(house.vkey, proof.read_text(), entry) == number
    forged = entry.replace(b'"allow"', b'"deny"')
    assert forged != entry
    with pytest.raises(tlog_verify.Wrong):
        tlog_verify.verify_proof(house.vkey, proof.read_text(), forged)
    record.write_bytes(forged)
    assert house.run("audit", "check-proof", record, proof, "--vkey", house.state / "ledger.vkey", status=None).returncode != 0


def test_consistency(house, s3, story, tmp_path):
    audrey = house.people["audrey"]
    net = ("--state", house.state, "--credentials", audrey.credentials)
    old = tmp_path / "old"
    old.write_text(house.run("audit", "head", *net).stdout)
    size, _ = tlog_verify.open_checkpoint(old.read_text(), house.vkey)
    assert size > 0
    for _ in range(300):
        s3.head_object(Bucket=story, Key="k0")
    house.run("audit", "head", *net)  # under load a head is published once a second, or when it is asked for
    copy = tmp_path / "copy"
    house.run("audit", "export", copy, "--state", house.state)
    new_size, _ = tlog_verify.open_checkpoint((copy / "checkpoint").read_text(), house.vkey)
    assert new_size > size
    done = house.run("audit", "consistency", size, "--ledger", copy)
    (tmp_path / "proof").write_text(done.stdout)
    house.run("audit", "check-consistency", old, copy / "checkpoint", tmp_path / "proof", "--vkey", house.state / "ledger.vkey")
    house.run("audit", "verify", "--ledger", copy, "--vkey", house.state / "ledger.vkey", "--older", old)
    # the newer one is no prefix of the older
    assert house.run("audit", "check-consistency", copy / "checkpoint", old, tmp_path / "proof", "--vkey", house.state / "ledger.vkey", status=None).returncode != 0


def test_witness(house, exported, tmp_path):
    key = tmp_path / "witness.key"
    done = house.run("audit", "cosign", exported / "checkpoint", "--name", "witness.example", "--key", key, "--vkey", house.state / "ledger.vkey", status=None)
    if done.returncode == 2 and "vkey" in done.stderr:
        done = house.run("audit", "cosign", exported / "checkpoint", "--name", "witness.example", "--key", key)
    assert done.returncode == 0, done
    assert "witness.example" in done.stdout
    assert key.stat().st_mode & 0o777 == 0o600
