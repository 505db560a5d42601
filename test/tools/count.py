"""Adds up JUnit reports; its last line is what the continuous integration reads. Fails if a test failed or none ran."""

import sys
import xml.etree.ElementTree as ET

total = {"passed": 0, "failed": 0, "skipped": 0}
for name in sys.argv[1:]:
    count = dict.fromkeys(total, 0)
    for case in ET.parse(name).getroot().iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            count["failed"] += 1
            print("FAILED", case.get("classname", ""), case.get("name"))
        elif (skip := case.find("skipped")) is not None:
            count["skipped"] += 1
            print("skipped", case.get("name"), "-", skip.get("message", ""))
        else:
            count["passed"] += 1
    for kind, n in count.items():
        total[kind] += n
line = f"{total['passed']} passed, {total['failed']} failed"
if total["skipped"]:
    line += f", {total['skipped']} skipped"
print(line)
sys.exit(1 if total["failed"] or not total["passed"] else 0)
