#include "gate/bucket_name.h"

#include "base/num.h"

static bool
letter_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* between dots: letters, digits and dashes, neither beginning nor ending with a dash; never empty */
static bool
label_is_valid(struct str s)
{
	if (s.n == 0 || !letter_or_digit(s.p[0]) || !letter_or_digit(s.p[s.n - 1]))
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!letter_or_digit(s.p[i]) && s.p[i] != '-')
			return false;
	return true;
}

static bool
is_number(struct str s)
{
	uint64_t v;

	return s.n <= 3 && !err_is(num_parse_u64(s, 999, &v));
}

bool
bucket_name_is_valid(struct str name)
{
	static const char *const prefixes[] = {"xn--", "sthree-", "amzn-s3-demo-"};
	static const char *const suffixes[] = {"-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"};
	static const char *const paths[] = {"api", "cell", "console", "fhir"}; /* of ours */
	struct str rest = name, label;
	size_t labels = 0, numbers = 0;
	bool more = true;

	if (name.n < 3 || name.n > 63)
		return false;
	while (more) {
		more = str_split(rest, '.', &label, &rest);
		if (!label_is_valid(label))
			return false;
		labels++;
		numbers += is_number(label);
	}
	if (labels == 4 && numbers == 4) /* looks like an IP address */
		return false;
	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
		if (str_starts(name, str_c(prefixes[i])))
			return false;
	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++)
		if (str_ends(name, str_c(suffixes[i])))
			return false;
	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		if (str_eq(name, str_c(paths[i])))
			return false;
	return true;
}
