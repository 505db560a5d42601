"""Fixtures: one house for a whole run of tests, and one to break for those who need their own."""

import pytest
from house import House, word


@pytest.fixture(scope="session")
def house():
    h = House().init().start()
    try:
        h.add_everybody()
        yield h
        status = h.stop()
        assert status == 0, h.log_text()[-4000:]
        assert h.bugs() == []
    finally:
        h.release()


@pytest.fixture
def own_house():
    """A house for this test alone, which may do with it what it likes."""
    made = []

    def make(start=True, people=True, **configuration):
        h = House(**configuration).init()
        made.append(h)
        if start:
            h.start()
            if people:
                h.add_everybody()
        return h

    yield make
    for h in made:
        h.release()


@pytest.fixture(scope="session")
def alice(house):
    """data steward"""
    return house.people["alice"]


@pytest.fixture(scope="session")
def bob(house):
    """researcher"""
    return house.people["bob"]


@pytest.fixture(scope="session")
def carol(house):
    """researcher"""
    return house.people["carol"]


@pytest.fixture
def ally(alice):
    """alice, with a key that nobody else has used: wrong signatures slow down the key they name"""
    with alice.fresh() as person:
        yield person


@pytest.fixture(scope="session")
def s3(alice):
    return alice.client()


@pytest.fixture(scope="session")
def s3_bob(bob):
    return bob.client()


@pytest.fixture(scope="session")
def s3_carol(carol):
    return carol.client()


@pytest.fixture
def bucket(s3):
    """an empty bucket of alice's"""
    name = "b-" + word()
    s3.create_bucket(Bucket=name)
    return name


@pytest.fixture
def versioned(s3, bucket):
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    return bucket
