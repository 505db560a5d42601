#include "ledger/note.h"

#include "ledger/ledger.h"

#define DASH "\xE2\x80\x94 " /* U+2014 and a space begin a signature line */

bool
note_name_ok(struct str s)
{
	/* the white space of Unicode beyond ASCII */
	static const char *const spaces[] = {"\xC2\x85", "\xC2\xA0", "\xE1\x9A\x80", "\xE2\x80\xA8", "\xE2\x80\xA9",
		"\xE2\x80\xAF", "\xE2\x81\x9F", "\xE3\x80\x80"};

	if (s.n == 0 || s.n > 255 || !str_is_utf8(s))
		return false;
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c <= ' ' || c == '+' || c == 0x7F)
			return false;
		if (c == 0xE2 && i + 2 < s.n && (unsigned char)s.p[i + 1] == 0x80 && (unsigned char)s.p[i + 2] <= 0x8A)
			return false; /* U+2000 to U+200A */
	}
	for (size_t i = 0; i < ARRAY_LEN(spaces); i++)
		if (str_find(s, str_c(spaces[i])) != SIZE_MAX)
			return false;
	return true;
}

static void
key_id(struct str name, uint8_t type, const uint8_t key[32], uint8_t out[4])
{
	char in[512];
	uint8_t h[SHA256_BYTES];

	INVARIANT(name.n <= sizeof(in) - 34);
	memcpy(in, name.p, name.n);
	in[name.n] = '\n';
	in[name.n + 1] = (char)type;
	memcpy(in + name.n + 2, key, 32);
	sha256(str_of(in, name.n + 34), h);
	memcpy(out, h, 4);
}

void
vkey_of(struct str name, uint8_t type, const uint8_t key[32], struct vkey *ret)
{
	INVARIANT(name.n <= 255);
	ret->name = name;
	ret->type = type;
	memcpy(ret->key, key, 32);
	key_id(name, type, key, ret->id);
}

struct err
vkey_parse(struct str s, struct vkey *ret)
{
	AUTO_BUF id = BUF(4);
	AUTO_BUF key = BUF(33);
	struct vkey v;
	struct str name, rest, hex, b64;

	s = str_sub(s, 0, str_ends(s, STR("\n")) ? s.n - 1 : s.n);
	if (!str_split(s, '+', &name, &rest) || !str_split(rest, '+', &hex, &b64) || !note_name_ok(name) ||
	    hex.n != 8)
		return ERR(ERR_INVALID);
	for (size_t i = 0; i < hex.n; i++)
		if (hex.p[i] >= 'A' && hex.p[i] <= 'F')
			return ERR(ERR_INVALID);
	TRY(buf_decode_hex(&id, hex));
	if (b64.n != 44 || err_is(buf_decode_base64(&key, b64)) || key.n != 33)
		return ERR(ERR_INVALID);
	if (key.p[0] != NOTE_ED25519 && key.p[0] != NOTE_COSIGNATURE)
		return ERR(ERR_INVALID);
	vkey_of(name, (uint8_t)key.p[0], (const uint8_t *)key.p + 1, &v);
	if (memcmp(v.id, id.p, 4) != 0)
		return ERR(ERR_INVALID);
	*ret = v;
	return OK;
}

void
vkey_write(const struct vkey *v, struct buf *out)
{
	uint8_t key[33];

	key[0] = v->type;
	memcpy(key + 1, v->key, 32);
	buf_put_str(out, v->name);
	buf_put_char(out, '+');
	buf_put_hex(out, v->id, 4);
	buf_put_char(out, '+');
	buf_put_base64(out, key, sizeof(key));
}

void
ledger_vkey(struct str origin, const uint8_t public_key[32], struct buf *out)
{
	struct vkey v;

	vkey_of(origin, NOTE_ED25519, public_key, &v);
	vkey_write(&v, out);
}

struct err
note_parse(struct str s, struct note *ret)
{
	size_t blank = SIZE_MAX;

	if (s.n > NOTE_BYTES_MAX || !str_is_utf8(s) || !str_ends(s, STR("\n")))
		return ERR(ERR_INVALID);
	for (size_t i = 0; i < s.n; i++) {
		if ((unsigned char)s.p[i] < ' ' && s.p[i] != '\n')
			return ERR(ERR_INVALID);
		if (i > 0 && s.p[i] == '\n' && s.p[i - 1] == '\n')
			blank = i;
	}
	if (blank == SIZE_MAX || blank + 1 == s.n)
		return ERR(ERR_INVALID);
	*ret = (struct note){str_sub(s, 0, blank), str_sub(s, blank + 1, SIZE_MAX)};
	return OK;
}

/* one signature line: name and decoded bytes. INVALID. */
static struct err
parse_signature(struct str line, struct str *name, struct buf *sig)
{
	struct str b64;

	if (!str_starts(line, STR(DASH)) || !str_split(str_sub(line, sizeof(DASH) - 1, SIZE_MAX), ' ', name, &b64) ||
	    !note_name_ok(*name))
		return ERR(ERR_INVALID);
	TRY(buf_decode_base64(sig, b64));
	return sig->n > 4 ? OK : ERR(ERR_INVALID);
}

static void
cosigned_text(struct str text, uint64_t time_s, struct buf *out)
{
	buf_put_c(out, "cosignature/v1\ntime ");
	buf_put_dec(out, time_s);
	buf_put_char(out, '\n');
	buf_put_str(out, text);
}

static bool
signature_holds(struct str text, const struct vkey *v, struct str sig)
{
	AUTO_BUF signed_text = BUF(NOTE_BYTES_MAX + 64);
	const uint8_t *p = (const uint8_t *)sig.p;
	uint64_t time_s;

	if (v->type == NOTE_ED25519)
		return sig.n == 64 && sign_verify(v->key, text, p);
	if (sig.n != 8 + 64)
		return false;
	time_s = num_get_be64(p);
	if (time_s > INT64_MAX)
		return false;
	cosigned_text(text, time_s, &signed_text);
	return !err_is(buf_check(&signed_text)) && sign_verify(v->key, buf_str(&signed_text), p + 8);
}

struct err
note_verify(const struct note *n, const struct vkey *v)
{
	struct str rest = n->signatures, line;
	bool found = false;
	unsigned count = 0;

	while (rest.n > 0) {
		AUTO_BUF sig = BUF(8 * KiB);
		struct str name;
		struct err e;

		if (!str_split(rest, '\n', &line, &rest) || ++count > NOTE_SIGNATURES_MAX)
			return ERR(ERR_CORRUPT);
		e = parse_signature(line, &name, &sig);
		if (err_is(e))
			return e.code == ERR_NO_MEMORY ? e : ERR(ERR_CORRUPT);
		if (!str_eq(name, v->name) || memcmp(sig.p, v->id, 4) != 0)
			continue; /* not ours to judge */
		if (!signature_holds(n->text, v, str_sub(buf_str(&sig), 4, SIZE_MAX)))
			return ERR(ERR_CORRUPT);
		found = true;
	}
	return found ? OK : ERR(ERR_CORRUPT);
}

void
note_sign(struct str text, const struct vkey *v, const struct sign_key *key, uint64_t time_s, struct buf *line)
{
	AUTO_BUF signed_text = BUF(NOTE_BYTES_MAX + 64);
	uint8_t sig[4 + 8 + 64];
	size_t n = 4;

	memcpy(sig, v->id, 4);
	if (v->type == NOTE_COSIGNATURE) {
		num_put_be64(sig + n, time_s);
		n += 8;
		cosigned_text(text, time_s, &signed_text);
		line->failed |= signed_text.failed;
		line->no_memory |= signed_text.no_memory;
		text = buf_str(&signed_text);
	}
	if (line->failed)
		return;
	sign(key, text, sig + n);
	buf_put_c(line, DASH);
	buf_put_str(line, v->name);
	buf_put_char(line, ' ');
	buf_put_base64(line, sig, n + 64);
	buf_put_char(line, '\n');
}

static struct err
parse_body(struct checkpoint *c)
{
	AUTO_BUF root = BUF(HASH_BYTES);
	struct str rest = c->note.text, size, b64, extension;

	if (!str_split(rest, '\n', &c->origin, &rest) || c->origin.n == 0 || c->origin.n > 255 ||
	    !str_split(rest, '\n', &size, &rest) || size.n == 0 || (size.p[0] == '0' && size.n > 1) ||
	    err_is(num_parse_u64(size, INT64_MAX, &c->size)) || !str_split(rest, '\n', &b64, &rest))
		return ERR(ERR_INVALID);
	TRY(buf_decode_base64(&root, b64));
	if (root.n != HASH_BYTES)
		return ERR(ERR_INVALID);
	while (rest.n > 0)
		if (!str_split(rest, '\n', &extension, &rest) || extension.n == 0)
			return ERR(ERR_INVALID);
	memcpy(c->root, root.p, HASH_BYTES);
	return OK;
}

struct err
checkpoint_parse(struct str s, struct checkpoint *ret)
{
	struct checkpoint c;

	TRY(note_parse(s, &c.note));
	TRY(parse_body(&c));
	*ret = c;
	return OK;
}

struct err
checkpoint_open(struct str s, const struct vkey *v, struct checkpoint *ret)
{
	struct checkpoint c;

	TRY(checkpoint_parse(s, &c));
	if (v->type != NOTE_ED25519 || !str_eq(c.origin, v->name))
		return ERR(ERR_CORRUPT);
	TRY(note_verify(&c.note, v));
	*ret = c;
	return OK;
}

void
checkpoint_write(struct str origin, uint64_t size, const uint8_t root[HASH_BYTES], const struct sign_key *key,
    struct buf *out)
{
	AUTO_BUF text = BUF(1 * KiB);
	uint8_t public_key[32];
	struct vkey v;

	buf_put_str(&text, origin);
	buf_put_char(&text, '\n');
	buf_put_dec(&text, size);
	buf_put_char(&text, '\n');
	buf_put_base64(&text, root, HASH_BYTES);
	buf_put_char(&text, '\n');
	out->failed |= text.failed;
	out->no_memory |= text.no_memory;
	if (out->failed)
		return;
	sign_public(key, public_key);
	vkey_of(origin, NOTE_ED25519, public_key, &v);
	buf_put_str(out, buf_str(&text));
	buf_put_char(out, '\n');
	note_sign(buf_str(&text), &v, key, 0, out);
}

struct err
ledger_cosign(struct str checkpoint, struct str vkey, struct str witness_name, const struct sign_key *key,
    int64_t now_s, struct buf *line)
{
	struct checkpoint c;
	struct vkey log, witness;
	uint8_t public_key[32];

	TRY(vkey_parse(vkey, &log));
	TRY(checkpoint_open(checkpoint, &log, &c));
	if (!note_name_ok(witness_name) || now_s < 0)
		return ERR(ERR_INVALID);
	sign_public(key, public_key);
	vkey_of(witness_name, NOTE_COSIGNATURE, public_key, &witness);
	note_sign(c.note.text, &witness, key, (uint64_t)now_s, line);
	return buf_check(line);
}
