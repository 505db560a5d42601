#include "deid/safe_harbor.h"

#include "base/num.h"
#include "base/buf.h"
#include "crypto/crypto.h"

#define SHIFT_DAYS 364

/* not more than 20,000 people in the Census of 2020 */
static const uint16_t few[] = {36, 59, 102, 202, 203, 204, 205, 369, 556, 692, 753, 772, 821, 823, 878, 879, 884, 893};

static int
prefix(struct str zip)
{
	int n = 0;

	if (zip.n < 3)
		return -1;
	for (size_t i = 0; i < 3; i++) {
		if (zip.p[i] < '0' || zip.p[i] > '9')
			return -1;
		n = n * 10 + zip.p[i] - '0';
	}
	return n;
}

struct err
zip3_add(struct zip3 *z, struct str zip, uint32_t people)
{
	uint64_t n;

	if (zip.n != 5)
		return ERR(ERR_INVALID);
	TRY(num_parse_u64(zip, 99999, &n));
	if (people > UINT32_MAX - z->people[n / 100])
		return ERR(ERR_LIMIT);
	z->people[n / 100] += people;
	return OK;
}

bool
zip3_of(const struct zip3 *z, struct str zip, char out[4])
{
	int n = prefix(zip);
	bool enough = true;

	if (n < 0)
		return false;
	if (z)
		enough = z->people[n] >= ZIP3_PEOPLE_MIN;
	for (size_t i = 0; !z && i < ARRAY_LEN(few); i++)
		enough = enough && few[i] != n;
	memcpy(out, enough ? zip.p : "000", 3);
	out[3] = 0;
	return true;
}

unsigned int
age_to_tell(unsigned int years)
{
	return years < AGE_TOP ? years : AGE_TOP;
}

int
year_to_tell(int year, int as_of_year)
{
	return year == 0 || as_of_year - year >= AGE_TOP ? 0 : year;
}

/* names_of(study, purpose, kind, out): lengths go before what they measure, so that no two inputs are one */
static void
names_of(const struct mac_key *study, struct str purpose, struct str kind, uint8_t out[SHA256_BYTES])
{
	AUTO_BUF names = BUF(4096);

	buf_put_lstr(&names, purpose);
	buf_put_lstr(&names, kind);
	INVARIANT(!err_is(buf_check(&names)));
	mac_sha256(study, buf_str(&names), out);
}

static void
mac_under(const struct mac_key *study, const uint8_t names[SHA256_BYTES], struct phi id, uint8_t out[SHA256_BYTES])
{
	uint8_t head[2 * SHA256_BYTES];

	memcpy(head, names, SHA256_BYTES);
	mac_sha256(study, phi_borrow(id), head + SHA256_BYTES);
	mac_sha256(study, str_of(head, sizeof(head)), out);
	explicit_bzero(head, sizeof(head));
}

static void
mac(const struct mac_key *study, struct str purpose, struct str kind, struct phi id, uint8_t out[SHA256_BYTES])
{
	uint8_t names[SHA256_BYTES];

	names_of(study, purpose, kind, names);
	mac_under(study, names, id, out);
}

static void
put_pseudonym(const uint8_t tag[SHA256_BYTES], char out[PSEUDONYM_BYTES])
{
	static const char hex[] = "0123456789abcdef";

	for (size_t i = 0; i < (PSEUDONYM_BYTES - 1) / 2; i++) {
		out[2 * i] = hex[tag[i] >> 4];
		out[2 * i + 1] = hex[tag[i] & 15];
	}
	out[PSEUDONYM_BYTES - 1] = 0;
}

void
deid_pseudonym(const struct mac_key *study, struct str kind, struct phi id, char out[PSEUDONYM_BYTES])
{
	uint8_t tag[SHA256_BYTES];

	mac(study, STR("pseudonym"), kind, id, tag);
	put_pseudonym(tag, out);
}

void
pseudonym_kind_init(struct pseudonym_kind *k, const struct mac_key *study, struct str kind)
{
	names_of(study, STR("pseudonym"), kind, k->names);
}

void
deid_pseudonym_of(const struct mac_key *study, const struct pseudonym_kind *k, struct phi id, char out[PSEUDONYM_BYTES])
{
	uint8_t tag[SHA256_BYTES];

	mac_under(study, k->names, id, tag);
	put_pseudonym(tag, out);
}

int
deid_shift_days(const struct mac_key *study, struct phi patient)
{
	uint8_t tag[SHA256_BYTES];

	mac(study, STR("date shift"), STR(""), patient, tag);
	/* 64 bits over 364: the bias is 2^-55 */
	return -1 - (int)(num_get_be64(tag) % SHIFT_DAYS);
}

size_t
cells_suppress(const uint64_t *counts, size_t n, bool total_shown, bool *ret_hide)
{
	size_t hidden = 0, other = SIZE_MAX;

	for (size_t i = 0; i < n; i++) {
		ret_hide[i] = counts[i] > 0 && counts[i] < CELL_MIN;
		hidden += ret_hide[i];
	}
	if (hidden != 1 || !total_shown)
		return hidden;
	for (size_t i = 0; i < n; i++)
		if (!ret_hide[i] && (other == SIZE_MAX || (counts[i] > 0 && (counts[other] == 0 || counts[i] < counts[other]))))
			other = i;
	if (other == SIZE_MAX)
		return hidden;
	ret_hide[other] = true;
	return hidden + 1;
}
