#include "synth/civil.h"

#include "base/num.h"

/* Years begin in March here, so that the leap day is the last one: 153 days are five months from March on. */
struct civil
civil_of_day(int32_t day)
{
	int32_t z = day + 719468; /* days since 0000-03-01 */
	int32_t era = z / 146097, in_era = z % 146097;
	int32_t year = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
	int32_t in_year = in_era - (365 * year + year / 4 - year / 100);
	int32_t month = (5 * in_year + 2) / 153;

	INVARIANT(z >= 0);
	return (struct civil){
		.year = year + era * 400 + (month >= 10),
		.month = (uint8_t)(month < 10 ? month + 3 : month - 9),
		.day = (uint8_t)(in_year - (153 * month + 2) / 5 + 1),
	};
}

int32_t
civil_day(int32_t year, int month, int day)
{
	int32_t y = year - (month <= 2);
	int32_t in_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
	int32_t era = y / 400, in_era = y % 400;

	return era * 146097 + in_era * 365 + in_era / 4 - in_era / 100 + in_year - 719468;
}

struct err
civil_parse(struct str s, int32_t *ret_day)
{
	uint64_t year, month, day;
	struct civil back;
	int32_t found;

	if (s.n != 10 || s.p[4] != '-' || s.p[7] != '-')
		return ERR(ERR_INVALID);
	TRY(num_parse_u64(str_sub(s, 0, 4), 9999, &year));
	TRY(num_parse_u64(str_sub(s, 5, 2), 99, &month));
	TRY(num_parse_u64(str_sub(s, 8, 2), 99, &day));
	if (year < 1900 || year > 2199 || month < 1 || month > 12 || day < 1 || day > 31)
		return ERR(ERR_INVALID);
	found = civil_day((int32_t)year, (int)month, (int)day);
	back = civil_of_day(found);
	if (back.month != month || back.day != day)
		return ERR(ERR_INVALID);
	*ret_day = found;
	return OK;
}

int32_t
civil_years_between(int32_t from_day, int32_t to_day)
{
	struct civil a = civil_of_day(from_day), b = civil_of_day(to_day);

	return b.year - a.year - (b.month < a.month || (b.month == a.month && b.day < a.day));
}

static void
two(char out[2], int v)
{
	out[0] = (char)('0' + v / 10 % 10);
	out[1] = (char)('0' + v % 10);
}

void
civil_put_basic(char out[8], int32_t day)
{
	struct civil c = civil_of_day(day);

	two(out, c.year / 100);
	two(out + 2, c.year % 100);
	two(out + 4, c.month);
	two(out + 6, c.day);
}

void
civil_put_extended(char out[10], int32_t day)
{
	char basic[8];

	civil_put_basic(basic, day);
	memcpy(out, basic, 4);
	out[4] = out[7] = '-';
	memcpy(out + 5, basic + 4, 2);
	memcpy(out + 8, basic + 6, 2);
}

void
civil_put_clock(char out[8], int64_t s)
{
	int32_t left = (int32_t)(s - (int64_t)civil_day_of(s) * CIVIL_DAY_S);

	two(out, left / 3600);
	two(out + 3, left / 60 % 60);
	two(out + 6, left % 60);
	out[2] = out[5] = ':';
}
