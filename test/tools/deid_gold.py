"""A gold standard for de-identification, made when it is needed: notes with identifiers at recorded places.

Two sources. The notes of the synthetic hospital say of every identifier where it stands, and of look-alikes too (Parkinson disease). Into
public clinical notes (../shared/corpora/notes, if it is there) surrogates are injected, sentences and header lines as people write them,
of all 18 categories of 45 CFR 164.514(b)(2)(i); what the notes hold of their own patients' names is recorded as well. A third of all names
is held out of the dictionaries, by a hash of the name: they are names that no list has.

What is measured on it is the finding of injected surrogates, not of real patients' identifiers.

    deid_gold.py OUT --cloister PROGRAM [--notes FOLDER] [--names FOLDER] [--count N] [--seed S]
writes OUT/gold.txt, OUT/other.txt, OUT/blind.txt and OUT/fourth.txt (other wording) and the dictionaries OUT/first-names.txt, surnames.txt, cities.txt.
"""

import argparse
import csv
import hashlib
import json
import pathlib
import random
import re
import subprocess

CATEGORIES = {
    "name": "NAME", "geographic": "PLACE", "date": "DATE", "phone": "PHONE", "fax": "FAX", "email": "EMAIL", "ssn": "SSN", "mrn": "MRN",
    "plan": "PLAN", "account": "ACCOUNT", "licence": "LICENCE", "vehicle": "VEHICLE", "device": "DEVICE", "url": "URL", "ip": "IP",
    "biometric": "BIOMETRIC", "photo": "PHOTO", "other": "ID", "decoy": "DECOY",
}
KNOWN = {"name", "geographic", "phone", "fax", "email", "ssn", "mrn", "plan", "account"}  # what a hospital has on file
TOWNS = ["Springfield", "Riverton", "Oakdale", "Fairview", "Greenville", "Ashland", "Milford", "Clayton", "Dayton", "Salem", "Auburn",
         "Burlington", "Georgetown", "Lexington", "Winchester", "Hudson", "Bristol", "Marion", "Centerville", "Newport"]
STATES = ["MA", "IL", "OH", "TX", "CA", "NY", "GA", "WA", "CO", "VT"]
STREETS = ["Main Street", "Oak Avenue", "Elm St.", "Maple Drive", "Cedar Lane", "Washington Blvd", "Lake Road", "2nd Avenue", "Hillcrest Court"]
MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"]
# Sentences into notes; {X} is what a maker below makes. The patient is P, somebody else is O.
TEMPLATES = [
    "{P.full} was seen in clinic today.", "Patient Name: {P.comma}", "{P.title} reports feeling well.", "Name: {P.full}  MRN: {mrn}",
    "I discussed the plan with {P.title} in detail.", "Re: {P.full}", "The patient's wife, {O.full}, was present.",
    "Her daughter {O.first} helps with medications.", "His son {O.first} drove him here.", "Dr. {O.last} was consulted.",
    "She was referred by Dr. {O.full}.", "Attending: {O.full}, MD", "Dictated by: {O.full}", "Seen and examined with {O.full}, RN.",
    "PCP: {O.last}, {O.first}", "cc: {O.full}, M.D.", "Nurse {O.last} was notified of the result.", "Case was discussed with Dr. {O.last}.",
    "Electronically signed by {O.full} on {date}", "Emergency contact: {O.full} ({phone})", "{P.first} is a {age}-year-old who presents for follow-up.",
    "Mr. and Mrs. {O.last} asked about home care.", "Spoke with {O.full} by phone at {phone}.", "Surgeon: {O.comma}",
    "DOB: {date}", "Admitted on {date} and discharged on {date}.", "Date of service: {date}", "Last seen {date}.", "Surgery was on {longdate}.",
    "She was hospitalized in {monthyear} for pneumonia.", "Follow up on {longdate} at 9:00.", "She turned {old} years old this spring.",
    "Address: {address}", "He lives at {address} with his family.", "She moved here from {town}, {state} last year.", "ZIP code {zip}.",
    "She lives in {town}.", "Phone: {phone}", "Call {phone} with questions.", "Cell {phone}, work {phone}.", "Fax: {fax}",
    "Please fax results to {fax}.", "E-mail: {email}", "She can be reached at {email}.", "SSN: {ssn}", "SSN {ssn} verified at registration.",
    "MRN: {mrn}", "Medical record number {mrn}.", "MRN #{mrn}", "Insurance ID: {plan}", "Medicare number {plan}", "Policy # {plan}",
    "Account number: {account}", "Acct #: {account}", "Driver's license number {licence}.", "DEA: {licence}", "License plate {plate}.",
    "VIN {vin}", "Pacemaker serial number {device}.", "Device serial no. {device}", "Implant serial #: {device}",
    "Patient portal: {url}", "Records were taken from {url}.", "Logged in from {ip}.", "IP address {ip}", "Fingerprint ID {finger} on file.",
    "Photo {photo} was taken of the wound.", "See image {photo}.", "Accession number {other}.", "Specimen ID: {other}", "Study ID {other}",
]

# A second set, at whose misses somebody looked once: rules were widened after it, not for it.
OTHER_TEMPLATES = [
    "{P.last} family meeting held this afternoon.", "Per {O.full}, continue current regimen.", "{P.first} says the pain is worse at night.",
    "Patient is well known to Dr. {O.last} from prior admissions.", "Discussed with {O.full} (daughter) over the phone.",
    "History provided by {O.full}, the patient's neighbor.", "Thank you, Dr. {O.last}, for this referral.", "Interpreter: {O.full}",
    "Ms {P.last} was last admitted to the unit in {monthyear}.", "Pt's phone is {phone}; leave message with {O.first}.",
    "Her health care proxy is {O.full}, {phone}.", "Physical therapist: {O.full}, DPT", "Consultant - {O.full}", "Cosigner {O.full} MD",
    "Transferred from {town} General Hospital on {date}.", "Works at the mill in {town}.", "Home: {address}.",
    "Born {longdate}, raised in {town}, {state}.", "Seen {date}, {date} and {date}.", "mrn {mrn} / acct {account}", "Ref no. {other}; lab id {other}",
    "Contact via {email} or {phone}.", "Insured under {plan}.", "Driver lic. {licence}", "Car tag {plate}", "ICD serial {device}, interrogated.",
    "Visited {url} for education.", "Message sent from host {ip}.", "Fingerprints ({finger}) taken.", "Attached: {photo}", "SS# {ssn}",
    "Fax number is {fax}.", "{P.title} celebrated turning {old}.", "Lives with partner {O.first} at {address}.", "{O.full} assisted.",
    "Please copy this letter to {O.full}, {address}.", "Dr {O.last} will see {P.first} again on {date}.", "Return to {O.full} in two weeks.",
]

# A third set: blind until the vocabulary came, whose misses were looked at then by category. No rule was made for one of its sentences alone.
BLIND_TEMPLATES = [
    "Mr {P.last}'s wound was re-dressed.", "We reviewed the images together with {O.full} from orthopedics.", "Primary: {O.last}",
        "{O.first} will pick her up.",
    "As {O.full} wrote in the last letter, surgery is not planned.", "Sister {O.first} {O.last} can be called on {phone}.", "Staffed with {O.last}.",
    "He asked that {O.first} be told.", "Last admission {monthyear}, at {town} Memorial.", "Appointment {longdate}, Dr {O.last}.",
    "Mail goes to {address}.", "Her neighbour {O.full} found her.", "Telephone {phone} (home).", "Hosp no {mrn}.", "Bill to account {account}.",
    "Member {plan}.", "{P.full}, {age}, here for a visit.", "Reports to {email}.", "Sample {other} was lost.", "Licence {licence} expired {date}.",
    "Born on {date} in {town}, {state}.", "Device {device} replaced on {date}.", "{P.first} and {O.first} live together.", "Signed, {O.full}",
    "Please see {photo}.", "Vehicle {plate} towed.", "On {date} Ms. {P.last} fell.", "SSN on file: {ssn}.", "Uploaded to {url}.", "Dear Dr. {O.last},",
]


# A fourth set, written after the rules of the vocabulary, whose misses nobody has looked at: what to believe. Leave it so.
FOURTH_TEMPLATES = [
    "Family at bedside: {O.first}, {O.full} and the patient's niece.", "It was {O.last} who first noticed the rash.",
    "Reached {O.first} on the second try ({phone}).", "{O.last}, covering for {P.last}, signed out at 19:00.",
    "Neighbors {O.full} and {P.first} brought groceries.", "Plan reviewed w/ {O.full} at length.", "The note of {O.last} from {date} was read.",
    "{P.first} {P.last} remains on the waiting list.", "{P.first} did not sleep well.", "After talking it over, {O.first} declined.",
    "Handoff from {O.last} to {P.last}.", "Social work ({O.full}) is arranging transport.", "Room shared with {O.full}.",
    "Thank you for letting me see {P.full} today.", "Best regards,\n{O.full}", "Prepared for {O.comma}", "{O.last}/{P.last} to follow.",
    "Tell {O.first} we called.", "{P.last} x-rays pulled for comparison.", "According to {O.first}, nothing was eaten since {date}.",
    "Power of attorney rests with {O.full}, reachable under {phone}.", "Pharmacy left a voicemail at {phone}.", "Text {phone} when ready.",
    "Documents went out by facsimile, {fax}.", "Write {email} for the forms.", "Chart {mrn} merged.", "Pt ID {mrn} confirmed on wristband.",
    "Covered by {plan} through the employer.", "Charges posted to acct {account}.", "Social {ssn} given at intake.",
    "Physician licence {licence} on file.", "Arrived in a car, plates {plate}.", "The generator (s/n {device}) was checked.",
    "Lead model {device} remains in place.", "Education leaflet at {url} was shared.", "Session opened from {ip}.", "Iris scan {finger} matched.",
    "Wound picture stored as {photo}.", "Tissue block {other} sent out.", "Enrolled under number {other}.",
    "Grew up in {town} before the move to {town}.", "Ambulance picked her up at {address}.", "Mailing address is {address}.",
    "Her postal code, {zip}, is out of area.", "Flight from {town} landed on {longdate}.", "Between {date} and {date} no fever.",
    "Due back {longdate}.", "Stent placed {monthyear}.", "Vaccinated {date}, boosted {date}.", "At {old} years of age he still drives.",
    "She is {old} y/o and lives alone.", "{P.first}'s mother, {O.first}, has asthma.", "I, {O.full}, was present for the key portions.",
]


def held_out(name):
    return hashlib.sha256(name.lower().encode()).digest()[0] % 3 == 0


class Maker:
    def __init__(self, seed, firsts, lasts):
        self.r, self.firsts, self.lasts = random.Random(seed), firsts, lasts

    def person(self):
        return self.r.choice(self.firsts).title(), self.r.choice(self.lasts).title()

    def digits(self, n):
        return "".join(self.r.choice("0123456789") for _ in range(n))

    def make(self, kind):
        """what to write, and its category"""
        r = self.r
        y, m, d = r.randint(1940, 2024), r.randint(1, 12), r.randint(1, 28)
        if kind == "date":
            return r.choice([f"{m}/{d}/{y}", f"{m:02}/{d:02}/{y}", f"{y}-{m:02}-{d:02}", f"{m}/{d}/{y % 100:02}", f"{MONTHS[m - 1][:3]} {d}, {y}",
                             f"{d:02}-{MONTHS[m - 1][:3]}-{y}"]), "date"
        if kind == "longdate":
            return r.choice([f"{MONTHS[m - 1]} {d}, {y}", f"{MONTHS[m - 1]} {d}th", f"{d} {MONTHS[m - 1]} {y}"]), "date"
        if kind == "monthyear":
            return f"{MONTHS[m - 1]} {y}", "date"
        if kind == "old":
            return str(r.randint(90, 101)), "date"
        if kind == "address":
            return f"{r.randint(1, 9999)} {r.choice(STREETS)}, {r.choice(TOWNS)}, {r.choice(STATES)} {self.digits(5)}", "geographic"
        if kind == "town":
            return r.choice(TOWNS), "geographic"
        if kind == "zip":
            return self.digits(5), "geographic"
        if kind in ("phone", "fax"):
            a, e, n = r.randint(201, 989), r.randint(200, 989), f"{r.randint(0, 9999):04}"
            return r.choice([f"({a}) {e}-{n}", f"{a}-{e}-{n}", f"{a}.{e}.{n}", f"+1 {a} {e} {n}"]), kind
        if kind == "email":
            first, last = self.person()
            return r.choice([f"{first}.{last}", f"{first[0]}{last}", f"{last}{r.randint(1, 99)}"]).lower() + "@" + r.choice(["example.org",
                "mail.example.com"]), "email"
        simple = {
            "ssn": lambda: f"9{self.digits(2)}-{self.digits(2)}-{self.digits(4)}", "mrn": lambda: r.choice([self.digits(8), self.digits(6),
                "A" + self.digits(7)]),
            "plan": lambda: r.choice([f"1EG4-TE{self.digits(1)}-MK{self.digits(2)}", "XYZ" + self.digits(9)]), "account": lambda: self.digits(r.randint(7, 10)),
            "licence": lambda: r.choice(["S" + self.digits(8), "BX" + self.digits(7)]), "plate": lambda: f"{self.digits(1)}ABC{self.digits(3)}",
            "vin": lambda: "1HGCM826Q3A" + self.digits(6), "device": lambda: r.choice(["PM-" + self.digits(6), "SN" + self.digits(8)]),
            "url": lambda: r.choice(["https://portal.example.org/p/" + self.digits(6), "www.example.com/records"]),
            "ip": lambda: f"203.0.113.{r.randint(1, 254)}", "finger": lambda: "FP-" + self.digits(6),
            "photo": lambda: r.choice(["IMG_" + self.digits(4) + ".jpg", "wound-" + self.digits(3) + ".png"]),
                "other": lambda: r.choice(["S24-" + self.digits(5), "AC" + self.digits(7)]),
        }
        category = {"plate": "vehicle", "vin": "vehicle", "finger": "biometric"}.get(kind, kind)
        return simple[kind](), category


def sentence(maker, template, patient, other):
    """the text, and (at, length, category) of what was put in"""
    out, spans = "", []
    for literal, field in re.findall(r"([^{]*)(?:\{([^}]*)\})?", template):
        out += literal
        if not field:
            continue
        if field == "age":
            out += str(maker.r.randint(20, 85))
        elif field == "state":
            out += maker.r.choice(STATES)  # a state may stay
        elif field[0] in "PO" and "." in field:
            first, last = patient if field[0] == "P" else other
            form = field.split(".")[1]
            text = {"full": f"{first} {last}", "comma": f"{last}, {first}", "first": first, "last": last,
                    "title": maker.r.choice(["Mr.", "Ms.", "Mrs."]) + f" {last}"}[form]
            skip = len(text) - len(last) if form == "title" else 0
            spans.append((len(out) + skip, len(text) - skip, "name"))
            out += text
        else:
            text, category = maker.make(field)
            kept = text.rfind(",") if field == "address" else len(text)  # the state may stay
            spans.append((len(out), kept, category))
            if field == "address":
                spans.append((len(out) + len(text) - 5, 5, category))
            out += text
    return out, spans


def own_names(text, names):
    spans = []
    for name in names:
        if len(name) > 2:
            spans += [(m.start(), m.end() - m.start(), "name") for m in re.finditer(rf"\b{re.escape(name)}\b", text)]
    return spans


def injected(maker, text, own, templates):
    """a note with a dozen sentences put between its lines"""
    patient, known, spans, out = maker.person(), [], [], ""
    lines = text.split("\n")
    at = sorted(maker.r.sample(range(len(lines)), min(len(lines), 12)))
    for i, line in enumerate(lines):
        spans += [(len(out) + a, n, c) for a, n, c in own_names(line, own)]
        out += line + "\n"
        if i in at:
            other = maker.person()
            text_, found = sentence(maker, maker.r.choice(templates), patient, other)
            spans += [(len(out) + a, n, c) for a, n, c in found]
            known += [(c, text_[a:a + n]) for a, n, c in found]
            out += text_ + "\n"
    known.append(("name", " ".join(patient)))
    return out, spans, known + [("name", n) for n in own]


def aci_notes(folder):
    for part in ("train", "valid"):
        meta = {row["encounter_id"]: row for row in csv.DictReader(open(folder / f"{part}_metadata.csv", encoding="utf-8"))}
        for row in csv.DictReader(open(folder / f"{part}.csv", encoding="utf-8")):
            person = meta[row["encounter_id"]]
            yield row["note"], [n.strip() for n in (person["patient_firstname"], person["patient_familyname"]) if n.strip()]


def synth_notes(tool, out, patients, names):
    hospital = out / "hospital"
    subprocess.run([tool, "synth", "--patients", str(patients), "--seed", "77", "--format", "notes,truth", "--out", hospital, *(["--names",
        names] if names else [])],
                   check=True, capture_output=True, timeout=300)
    raw = (hospital / "notes" / "notes.txt").read_bytes()
    marks = sorted(((t["offset"], t["bytes"], t["category"]) for t in map(json.loads, open(hospital / "truth.ndjson", encoding="utf-8"))
                    if t["file"] == "notes/notes.txt"))
    start, k = 0, 0
    for note in raw.split(b"\x0c"):
        spans = []
        while k < len(marks) and marks[k][0] < start + len(note):
            spans.append((marks[k][0] - start, marks[k][1], marks[k][2]))
            k += 1
        start += len(note) + 1
        if note.strip():
            yield note, spans, [(c, note[a:a + n].decode()) for a, n, c in spans if c in KNOWN]


def in_bytes(text, spans):
    return text.encode(), [(len(text[:a].encode()), len(text[a:a + n].encode()), c) for a, n, c in spans]


def put(f, note, spans, known, held):
    """N bytes knowns spans; CATEGORY value; CATEGORY at length held; then the note"""
    spans = sorted(set(spans))
    known = [(c, v.replace("\n", " ")) for c, v in dict.fromkeys(known) if v and c in KNOWN]
    f.write(f"N {len(note)} {len(known)} {len(spans)}\n".encode())
    for category, value in known:
        f.write(f"{CATEGORIES[category]} {value}\n".encode())
    for at, n, category in spans:
        words = re.findall(r"[a-z]+", note[at:at + n].decode().lower()) if category == "name" else []
        f.write(f"{CATEGORIES[category]} {at} {n} {int(any(w in held for w in words))}\n".encode())
    f.write(note + b"\n")


def make(out, cloister, notes=None, names=None, count=200, seed=7):
    out.mkdir(parents=True, exist_ok=True)
    if names:
        lists = {part: [line.split()[0].lower() for line in open(names / part, encoding="utf-8")]
                 for part in ("dist.all.last", "dist.female.first", "dist.male.first")}
        lasts = [n for n in lists["dist.all.last"][:20000] if len(n) > 2]
        firsts = [n for n in dict.fromkeys(lists["dist.female.first"] + lists["dist.male.first"]) if len(n) > 2]
        every_last = lists["dist.all.last"]
    else:
        firsts, lasts = ["xiomara", "tobias", "henrike", "lucia", "amara", "oskar"], ["vexley", "okafor", "lindqvist", "marchetti", "oyelaran", "hartnell"]
        every_last = lasts
    held = {n for n in firsts + every_last if held_out(n)}
    (out / "first-names.txt").write_text("".join(n + "\n" for n in firsts if n not in held), encoding="utf-8")
    (out / "surnames.txt").write_text("".join(n + "\n" for n in every_last if n not in held), encoding="utf-8")
    (out / "cities.txt").write_text("".join(t.lower() + "\n" for t in TOWNS), encoding="utf-8")
    maker = Maker(seed, firsts, lasts[:20000])
    totals = {"synth": 0, "injected": 0}
    with open(out / "gold.txt", "wb") as f, open(out / "other.txt", "wb") as other, open(out / "blind.txt", "wb") as blind, \
            open(out / "fourth.txt", "wb") as fourth:
        for note, spans, known in synth_notes(cloister, out, 2 * count, names):
            if totals["synth"] == count:
                break
            put(f, note, spans, known, held)
            totals["synth"] += 1
        for text, own in aci_notes(notes) if notes else ():
            for to, templates in ((f, TEMPLATES), (other, OTHER_TEMPLATES), (blind, BLIND_TEMPLATES), (fourth, FOURTH_TEMPLATES)):
                made, spans, known = injected(maker, text, own, templates)
                raw, spans = in_bytes(made, spans)
                put(to, raw, spans, known, held)
            totals["injected"] += 1
    return totals


if __name__ == "__main__":
    p = argparse.ArgumentParser()
    p.add_argument("out", type=pathlib.Path)
    p.add_argument("--cloister", type=pathlib.Path, required=True)
    p.add_argument("--notes", type=pathlib.Path)
    p.add_argument("--names", type=pathlib.Path)
    p.add_argument("--count", type=int, default=200)
    p.add_argument("--seed", type=int, default=7)
    a = p.parse_args()
    print(json.dumps(make(a.out, a.cloister, a.notes, a.names, a.count, a.seed)))
