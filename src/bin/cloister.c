/* cloister: the command line. One table says which commands there are; doc/man/cloister.1 describes them. */
#include <curl/curl.h>
#include <malloc.h>
#include <signal.h>
#include <sys/stat.h>
#include <string.h>
#include <unistd.h>

#include "base/num.h"
#include "bin/cli.h"
#include "bin/cli_out.h"
#include "crypto/crypto.h"

static const struct cli_command commands[] = {
	{"init", NULL, "Make a state folder: root key under a passphrase, first administrator, certificates, ledger.",
		"The administrator's password, one-time-code secret and access key are shown once, or written to --credentials.\n\n"
		"  cloister init\n"
		"  cloister init --state /srv/cloister --host s3.hospital.example --listen 0.0.0.0:8443\n"
		"  cloister init --passphrase-file pass --credentials admin.json      # both with mode 0600\n", cmd_init},
	{"serve", NULL, "Start the house in the foreground; Ctrl-C stops it.",
		"  cloister serve\n  cloister serve --state /srv/cloister --passphrase-fd 3 3<pass\n", cmd_serve},
	{"status", NULL, "Show whether all processes answer, what is stored, and what needs attention.",
		"  cloister status --watch\n", cmd_status},

	{"login", "[NAME]", "Log in with password and one-time code; later commands use the session.",
		"  cloister login anna\n  cloister login anna --password-file p --code 123456\n", cmd_login},
	{"logout", NULL, "End the session of `cloister login`.", NULL, cmd_logout},
	{"whoami", NULL, "Show who you are to the server, and your roles.", NULL, cmd_whoami},
	{"credentials", NULL, "Show settings for S3 clients: endpoint, authority, access key.",
		"  cloister credentials --credentials admin.json\n  eval \"$(cloister credentials --export)\"\n", cmd_credentials},

	{"user add", "NAME", "Add a person or service.",
		"  cloister user add anna --role researcher --display 'Anna Example'\n"
		"roles: administrator, security-officer, privacy-officer, data-steward, principal-investigator, researcher,\n"
		"output-checker, auditor, it-reviewer, management-reviewer, research-reviewer, irb-member, clinician, device, feed\n", cmd_user_add},
	{"user list", NULL, "List people.", NULL, cmd_user_list},
	{"user show", "NAME", "Show one person.", NULL, cmd_user_show},
	{"user set", "NAME", "Change a person's display name, e-mail address or roles.",
		"  cloister user set anna --role researcher --role output-checker\n", cmd_user_set},
	{"user password", "[NAME]", "Change your password; with NAME, as an administrator, reset another's.", NULL, cmd_user_password},
	{"user revoke", "NAME", "End a person's access at once: keys, sessions, running transfers.", NULL, cmd_user_revoke},

	{"key create", "[NAME]", "Make an access key, for yourself or for NAME; the secret is shown once.",
		"  cloister key create --days 30 --read-only --bucket study-7\n", cmd_key_create},
	{"key list", "[NAME]", "List access keys.", NULL, cmd_key_list},
	{"key revoke", "KEY", "End an access key at once.", NULL, cmd_key_revoke},
	{"key rotate", NULL, "Give all key domains, or one, new keys and rewrap the data keys; no object is written anew.",
		"  cloister key rotate --domain general --wait\n", cmd_key_rotate},

	{"domain list", NULL, "List key domains: families of keys that can be destroyed together.", NULL, cmd_domain_list},
	{"domain create", "NAME", "Make a key domain.", NULL, cmd_domain_create},
	{"domain destroy", "NAME", "Destroy a domain's keys: its data becomes unreadable for ever, in every copy.",
		"Needs the consent of two people, one of them a security officer: both run this within 15 minutes.\n", cmd_domain_destroy},
	{"feed add", "NAME", "Add a source of data with an identity of its own.", NULL, cmd_feed_add},

	{"feed list", NULL, "List feeds, and what came from them.", NULL, cmd_feed_list},
	{"flow", NULL, "Show what comes in, what became of it and what goes out, in numbers.", NULL, cmd_flow},
	{"pool rebuild", NULL, "Make the pool anew from everything that ever landed.", NULL, cmd_pool_rebuild},
	{"job show", "JOB", "Show how far a job is.", "  cloister job show --wait 0123456789abcdef0123456789abcdef\n", cmd_job_show},

	{"study add", NULL, "Register a study; you are its principal investigator.",
		"  cloister study add --title 'Sepsis and age' --protocol P-2026-17 --profile safe-harbor --cohort @cohort.sql \\\n"
		"      --person anna --description @protocol.txt\n"
		"A cohort is one SELECT over person, visit, condition, drug, measurement, procedure, note, device (doc/pool.md).\n", cmd_study_add},
	{"study list", NULL, "List your studies, and what they still need.", NULL, cmd_study_list},
	{"study show", "STUDY", "Show one study: by id, the beginning of its id, or its protocol.", NULL, cmd_study_show},
	{"study set", "STUDY", "Change a study; signatures and approval end with what they were given for.", NULL, cmd_study_set},
	{"study basis", "STUDY", "Record why the study may see data: the decision of a board, or an agreement.",
		"  cloister study basis P-2026-17 --kind irb-approval --board 'IRB 3' --number 26-0417 --document letter.pdf --expires 2027-06-30\n",
		cmd_study_basis},
	{"study sign", "STUDY", "Sign a review of a study, or refuse it; the security officer's is the last, and the approval.",
		"  cloister study sign P-2026-17 --review management --comment @opinion.txt\n", cmd_study_sign},
	{"study close", "STUDY", "Close a study: nothing more is released, its cells close.", NULL, cmd_study_close},
	{"study count", "STUDY", "Count the patients that fit the cohort; small numbers are not told exactly.", NULL, cmd_study_count},

	{"release make", "STUDY", "Make a data set from the pool, as the study's approval allows.", NULL, cmd_release_make},
	{"release list", "STUDY", "List a study's releases.", NULL, cmd_release_list},
	{"release show", "RELEASE", "Show one release: its files, their digests, its manifest.", NULL, cmd_release_show},

	{"cell open", "STUDY", "Open a room with the study's newest release, tools, and no way out.",
		"  cloister cell open P-2026-17\n  cloister cell enter CELL\n", cmd_cell_open},
	{"cell list", NULL, "List your cells.", NULL, cmd_cell_list},
	{"cell show", "CELL", "Show one cell, and what it does just now.", NULL, cmd_cell_show},
	{"cell enter", "CELL", "Print the address of a cell's notebook: once, for a minute.", NULL, cmd_cell_enter},
	{"cell run", "CELL SCRIPT", "Run a script that lies in the cell, without a notebook.", "  cloister cell run CELL analysis/model.py --wait\n",
		cmd_cell_run},
	{"cell close", "CELL", "End everything that runs in a cell; what was written stays, sealed.", NULL, cmd_cell_close},

	{"airlock submit", "CELL FILE...", "Ask that files leave a cell; with --import, that files come into it.",
		"  cloister airlock submit CELL table2.csv figure1.png --context @context.txt --purpose 'publication' --to 'A. Example' \\\n"
		"      --address 'University of Example'\n"
		"  cloister airlock submit CELL --import codes.csv --context 'code list, public' --purpose 'to select drugs'\n", cmd_airlock_submit},
	{"airlock list", NULL, "List requests: your own, or those you may decide on.", NULL, cmd_airlock_list},
	{"airlock show", "REQUEST", "Show one request: its files, what the checks found, decisions.", NULL, cmd_airlock_show},
	{"airlock get", "REQUEST N", "Fetch a file of a request.", "  cloister airlock get REQUEST 1 --out table2.csv\n", cmd_airlock_get},
	{"airlock put", "REQUEST N FILE", "Send a file of an import again.", NULL, cmd_airlock_put},
	{"airlock review", "REQUEST", "Approve, return or reject exactly these bytes.",
		"  cloister airlock review REQUEST --decision approve --comment 'all counts above 10' --digest DIGEST\n", cmd_airlock_review},
	{"airlock consolidate", "REQUEST", "Decide where two reviewers disagree.", NULL, cmd_airlock_consolidate},
	{"airlock release", "REQUEST", "Hand over what was approved, after every byte was verified.", NULL, cmd_airlock_release},
	{"airlock withdraw", "REQUEST", "Withdraw your request.", NULL, cmd_airlock_withdraw},
	{"airlock recall", "REQUEST", "Take back what was handed over, as far as it is here.", NULL, cmd_airlock_recall},

	{"bucket list", NULL, "List your buckets.", NULL, cmd_bucket_list},
	{"bucket create", "BUCKET", "Make a bucket.", "  cloister bucket create study-7 --domain study-7 --versioning\n",
		cmd_bucket_create},
	{"bucket show", "BUCKET", "Show a bucket's ids, owner, key domain and rules.", NULL, cmd_bucket_show},
	{"bucket rules", "BUCKET", "Show or change which rules against identifiers in names hold in a bucket.",
		"  cloister bucket rules study-7 --off phone --off date-of-birth\n  cloister bucket rules study-7 --all-on\n",
		cmd_bucket_rules},

	{"audit show", NULL, "Ask the record: who did what, when.",
		"  cloister audit show --bucket study-7 --from 2026-11-01\n"
		"  cloister audit show --act object. --who anna\n  cloister audit show --follow\n", cmd_audit_show},
	{"audit subject", "[MRN]", "Show who used a patient's data, when, for which study and on what basis.",
		"The number is asked for, or read from a file, so that it stands in no list of processes.\n\n"
		"  cloister audit subject --mrn-file number\n", cmd_audit_subject},
	{"audit disclosures", "[MRN]", "Show to whom a patient's data was disclosed: the accounting of 45 CFR 164.528.", NULL, cmd_audit_disclosures},
	{"audit head", NULL, "Show the newest signed checkpoint; keep it elsewhere, to prove later that nothing was rewritten.",
		"  cloister audit head > checkpoint.$(date +%F)\n", cmd_audit_head},
	{"audit prove", "N", "Write a proof that record N is in the log, which can be checked without us.",
		"  cloister audit prove 4711 --out record      # writes record.json and record.tlog-proof\n", cmd_audit_prove},
	{"audit verify", NULL, "Verify the whole log offline: every record, hash, signature. Needs no server.",
		"  cloister audit verify\n  cloister audit verify --ledger copy --vkey ledger.vkey --older checkpoint.2026-11-01\n",
		cmd_audit_verify},
	{"audit export", "DIR", "Copy the log as a static tlog-tiles tree, for public tools.", NULL, cmd_audit_export},
	{"audit consistency", "OLDSIZE", "Write the proof that the log of today continues that of OLDSIZE records.", NULL,
		cmd_audit_consistency},
	{"audit check-consistency", "OLD NEW PROOF", "Check such a proof between two signed checkpoints.", NULL,
		cmd_audit_check_consistency},
	{"audit check-proof", "RECORD PROOF", "Check that a record is in the log, with the log's public key only.", NULL,
		cmd_audit_check_proof},
	{"audit cosign", "CHECKPOINT", "Sign a checkpoint as a witness.",
		"  cloister audit cosign checkpoint --name witness.example --key witness.key >> checkpoint\n"
		"The key file (32 bytes in base64, mode 0600) is made if it is absent.\n", cmd_audit_cosign},

	{"lockdown", NULL, "Close the house at once: nothing is read, nothing is written, until it is lifted.",
		"  cloister lockdown\n  cloister lockdown --status\n"
		"  cloister lockdown --lift        # two people, one of them a security officer\n", cmd_lockdown},
	{"synth", NULL, "Write a synthetic hospital: HL7 v2, FHIR, tables, notes, vitals. Nobody in it has ever lived.",
		"The same seed gives the same bytes everywhere.\n\n"
		"  cloister synth --patients 1000 --seed 1 --out hospital\n"
		"  cloister synth --patients 1000 --format hl7,truth --out feed      # one MLLP stream and its truth map\n"
		"  cloister synth --patients 10 --format fhir --out - | jq .\n", cmd_synth},
	{"selftest", NULL, "Attack the running system as an intruder would, and tell what was refused.",
		"  cloister selftest --credentials admin.json\n", cmd_selftest},
};

static void
print_commands(FILE *to)
{
	fprintf(to, "usage: cloister COMMAND [options]\n\n");
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		fprintf(to, "  %-24s %s\n", commands[i].name, commands[i].summary);
	fprintf(to, "\n`cloister COMMAND --help` shows a command's options. The manual: cloister(1).\n");
}

/* ${ret_words}: how many arguments name the command */
static const struct cli_command *
find_command(int argc, char **argv, int *ret_words)
{
	char two[64];

	for (int words = 2; words >= 1; words--) {
		if (argc <= words || snprintf(two, sizeof(two), words == 2 ? "%s %s" : "%s", argv[1], argv[2]) >= (int)sizeof(two))
			continue;
		for (size_t i = 0; i < ARRAY_LEN(commands); i++)
			if (strcmp(commands[i].name, two) == 0) {
				*ret_words = words;
				return &commands[i];
			}
	}
	return NULL;
}

/* "cloister user": the commands that begin so */
static bool
print_group(const char *group)
{
	size_t n = strlen(group);
	bool found = false;

	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (strncmp(commands[i].name, group, n) == 0 && commands[i].name[n] == ' ') {
			if (!found)
				fprintf(stderr, "cloister: `%s` is one of:\n", group);
			found = true;
			fprintf(stderr, "  %-24s %s\n", commands[i].name, commands[i].summary);
		}
	return found;
}

static void *
wiped_alloc(size_t n)
{
	return malloc(n);
}

/* JSON here holds passwords and keys */
static void
wiped_free(void *p)
{
	if (p)
		explicit_bzero(p, malloc_usable_size(p));
	free(p);
}

int
main(int argc, char **argv)
{
	struct cli c = {0};
	int words = 0;
	struct err e;

	if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0 || strcmp(argv[1], "-h") == 0) {
		print_commands(argc < 2 ? stderr : stdout);
		return argc < 2 ? err_exit_status(ERR_INVALID) : 0;
	}
	if (strcmp(argv[1], "--version") == 0) {
		printf("cloister %s\n", CLOISTER_VERSION);
		return 0;
	}
	c.command = find_command(argc, argv, &words);
	if (!c.command) {
		if (!print_group(argv[1]))
			fprintf(stderr, "cloister: there is no command `%s`; `cloister --help` lists them\n", argv[1]);
		return err_exit_status(ERR_INVALID);
	}
	c.argc = argc - words;
	c.argv = argv + words;
	signal(SIGPIPE, SIG_IGN);
	umask(077);
	json_set_alloc_funcs(wiped_alloc, wiped_free);
	e = crypto_init();
	if (!err_is(e))
		e = c.command->run(&c);
	if (err_is(e) && !c.said)
		err_ignore(cli_fail(&c, e, "%s", err_sentence(e.code)));
	if (fflush(stdout) != 0 && !err_is(e))
		e = cli_fail(&c, ERR_SYS(ERR_IO), "the output cannot be written: %s", strerror(errno));
	return err_exit_status(e.code);
}
