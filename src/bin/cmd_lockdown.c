/* The lock-down: one command closes the house, two people open it. */
#include "bin/cli_net.h"
#include "bin/cli_out.h"

struct err
cmd_lockdown(struct cli *c)
{
	bool lift = false, status = false;
	const struct cli_option options[] = {
		{"lift", NULL, "consent to opening it again", CLI_FLAG, &lift},
		{"status", NULL, "only tell whether it is closed", CLI_FLAG, &status},
		{NULL, NULL, NULL, CLI_FLAG, NULL},
	};
	AUTO_JSON *answer = NULL;
	bool locked;

	cli_parse(c, options, CLI_NET, 0, 0);
	if (lift && status)
		return cli_fail(c, ERR(ERR_INVALID), "give --lift or --status, not both");
	TRY(net_json(c, status ? "GET" : lift ? "DELETE" : "POST", "/api/lockdown", NULL, &answer));
	locked = json_is_true(json_object_get(answer, "locked"));
	if (c->json)
		out_json(answer);
	else if (*out_member(answer, "consent"))
		printf("Your consent is recorded; the house stays closed. It needs %s, who runs the same command within %lld minutes.\n",
		    out_member(answer, "needs"), (long long)json_integer_value(json_object_get(answer, "seconds")) / 60);
	else if (status && locked)
		printf("Locked down since %.19sZ by %s.\n", out_member(answer, "since"), out_member(answer, "by"));
	else
		printf("%s\n", locked ? "The house is locked down: sessions have ended, transfers have stopped." : "The house is open.");
	return OK;
}
