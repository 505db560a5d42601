/* rule: a word in the log is a word of our source
 * gcc: expected '}' before 'word'
 * clang: expected '[)}]' */
#include "base/log.h"

void f(const char *word);

void
f(const char *word)
{
#ifdef RIGHT
	LOG(LOG_INFO, "event", LOG_WORD("word", "fixed"));
#else
	LOG(LOG_INFO, "event", LOG_WORD("word", word));
#endif
}
