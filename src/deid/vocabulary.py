"""The words of ordinary English and of medicine as a table of hashes, for src/deid/vocabulary.c.

    vocabulary.py OUT.c SMALL LARGE HUGE
The three lists are SCOWL's in three sizes (Debian: wamerican-small, -large, -huge), which may be used, changed and sold by anybody. Only words that a
list writes in lower case count. Rare words that are names too ("nancy", "lewis") do not, and of the largest list only those that are built as medicine
builds its words: the others are words that nobody uses, and names of many people."""

import re
import sys

SLOTS = 1 << 18
MASK64 = (1 << 64) - 1
MEDICAL = re.compile(
    r"(itis|osis|oses|otic|emia|emic|uria|ectomy|ectomies|otomy|ostomy|plasty|scopy|scopic|graphy|gram|graphic|logy|logic|logical|logist|"
    r"pathy|pathic|algia|oma|omas|megaly|penia|phagia|phasia|plegia|pnea|rrhea|rrhage|trophy|trophic|genic|lysis|lytic|tomy|cele|"
    r"ectasia|ectasis|sclerosis|stenosis|therapy|metry|derm|dermal|cyte|cytic|cytosis|oid|oidal|ase|azole|cillin|mycin|pril|sartan|olol|"
    r"statin|caine|cycline|floxacin|prazole|zepam|zolam|dipine|oxin|thiazide|semide|sone|solone|profen|barbital|mide|amine|idine|ous|ar|al|ic)$")


def words(path):
    with open(path, encoding="utf-8") as f:
        return {w for w in map(str.strip, f) if re.fullmatch(r"[a-z]{2,40}", w)}


def hashed(word):
    h = 0xCBF29CE484222325
    for c in word.encode():
        h = (h ^ c) * 0x100000001B3 & MASK64
    h = (h ^ h >> 32) * 0xD6E8FEB86659FD93 & MASK64
    h ^= h >> 32
    return h or 1


def taken_of(small, large, huge):
    capital = set()
    with open(huge, encoding="utf-8") as f:
        capital = {w.strip().lower() for w in f if w[:1].isupper()}
    taken = words(large) | {w for w in words(huge) if len(w) >= 7 and MEDICAL.search(w)}
    return {w for w in taken if w not in capital} | words(small)


def main(out, small, large, huge):
    taken = taken_of(small, large, huge)
    slots = [0] * SLOTS
    if len(taken) > SLOTS * 4 // 5:
        sys.exit("vocabulary.py: more words than the table is made for")
    for word in sorted(taken):
        h = hashed(word)
        at, tag = h & SLOTS - 1, h >> 32 or 1
        while slots[at] not in (0, tag):
            at = at + 1 & SLOTS - 1
        slots[at] = tag
    with open(out, "w", encoding="ascii") as f:
        f.write(f'#include "deid/vocabulary.h"\n/* {len(taken)} words */\nconst uint32_t vocabulary_slots[VOCABULARY_SLOTS] = {{\n')
        for i in range(0, SLOTS, 16):
            f.write(",".join(str(n) for n in slots[i:i + 16]) + ",\n")
        f.write("};\n")


if __name__ == "__main__":
    main(*sys.argv[1:5])
