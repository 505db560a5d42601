/* Cells: their doors, and the ways out of one, which a script of ours tries from inside. */
#include "base/clock.h"
#include "base/num.h"
#include "bin/cli_out.h"
#include "bin/selftest.h"

#define PATH_BYTES 400
#define SCRIPT "selftest.py"

/*
 * Prints a line an attempt: its name, OPEN or what stopped it, with a tab between. ${PORT} is where this house answers on the machine that the cell runs on.
 */
static const char script[] =
    "import ctypes, os, pathlib, socket\n"
    "def attempt(name, how):\n"
    "    try:\n"
    "        print(name, 'OPEN', repr(how())[:80], sep='\\t')\n"
    "    except Exception as e:\n"
    "        print(name, 'refused', f'{type(e).__name__}: {e}'[:80], sep='\\t')\n"
    "def sock(family, kind, to, protocol=0):\n"
    "    s = socket.socket(family, kind, protocol)\n"
    "    s.settimeout(1)\n"
    "    if kind == socket.SOCK_STREAM:\n"
    "        s.connect(to)\n"
    "        return to\n"
    "    s.sendto(bytes(12), to)\n"
    "    return s.recv(64)\n"
    "def mount():\n"
    "    libc = ctypes.CDLL(None, use_errno=True)\n"
    "    if libc.mount(b'tmpfs', b'/tmp', b'tmpfs', 0, None) == 0:\n"
    "        return 'mounted'\n"
    "    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))\n"
    "def devices():\n"
    "    for d in ('/dev/sda', '/dev/vda', '/dev/nvme0n1', '/dev/loop0', '/dev/loop-control', '/dev/mem', '/dev/kmsg', '/dev/fuse'):\n"
    "        try:\n"
    "            return d, os.open(d, os.O_RDONLY)\n"
    "        except OSError as e:\n"
    "            last = e\n"
    "    raise last\n"
    "def neighbours():\n"
    "    for p in pathlib.Path('/proc').glob('[0-9]*'):\n"
    "        if p.joinpath('cmdline').read_bytes().startswith((b'cloisterd', b'cloister-')):\n"
    "            return p.name\n"
    "    if len([n for n in pathlib.Path('/home').iterdir() if n.name != 'researcher']) > 0:\n"
    "        return 'another home'\n"
    "    raise OSError('nobody else is to be seen')\n"
    "I4, I6, UDP, TCP, RAW = socket.AF_INET, socket.AF_INET6, socket.SOCK_DGRAM, socket.SOCK_STREAM, socket.SOCK_RAW\n"
    "attempt('resolve a name', lambda: socket.getaddrinfo('x.example.org', 443))\n"
    "attempt('ask a name server', lambda: sock(I4, UDP, ('192.0.2.53', 53)))\n"
    "attempt('connect by TCP', lambda: sock(I4, TCP, ('192.0.2.1', 443)))\n"
    "attempt('send by UDP', lambda: sock(I4, UDP, ('192.0.2.1', 9999)))\n"
    "attempt('connect by IPv6', lambda: sock(I6, TCP, ('2001:db8::1', 443)))\n"
    "attempt('send a ping', lambda: sock(I4, UDP, ('192.0.2.1', 0), socket.IPPROTO_ICMP))\n"
    "attempt('make a raw socket', lambda: socket.socket(I4, RAW, 1))\n"
    "attempt('reach the house from inside', lambda: sock(I4, TCP, ('127.0.0.1', ${PORT})))\n"
    "attempt('open a disk or the memory', devices)\n"
    "attempt('make a device', lambda: os.mknod('/tmp/disk', 0o60600, os.makedev(7, 0)))\n"
    "attempt('mount a file system', mount)\n"
    "attempt('become root', lambda: os.setuid(0))\n"
    "attempt('see a neighbour', neighbours)\n"
    "attempt('change the release', lambda: os.open('/release/manifest.json', os.O_WRONLY))\n";

struct door {
	struct net *net;
	char origin[120]; /* "Origin: https://…" */
	char cookie[700]; /* "Cookie: …" */
	char xsrf[300];   /* "X-XSRFToken: …"; the notebook server's own */
};

/* ---- the door ---- */

static void
ask(const struct door *d, const char *method, const char *path, const char *cookie, struct str body, struct net_answer *ret)
{
	struct net_ask q = {.method = method, .path = path, .body = body};
	size_t n = 0;

	q.headers[n++] = d->origin;
	if (cookie[0])
		q.headers[n++] = cookie;
	if (body.n > 0)
		q.headers[n++] = "Content-Type: application/json";
	if (body.n > 0 && d->xsrf[0])
		q.headers[n++] = d->xsrf;
	if (err_is(net_ask(d->net, &q, ret)))
		ret->status = 0;
}

static void
tell_door(struct selftest *t, const struct door *d, const char *attack, const char *path, const char *cookie)
{
	AUTO_ANSWER a = NET_ANSWER;
	int64_t from = clock_mono_us();

	ask(d, "GET", path, cookie, STR_NONE, &a);
	tell(t, a.status == 401 || a.status == 403 || a.status == 404 ? REFUSED : a.status ? FAILED : SKIPPED, attack, "HTTP %ld in %.1f ms", a.status,
	    (double)(clock_mono_us() - from) / 1000);
}

/* ticket(t, d, path): the owner's, as a path on the cells' origin; the origin is opened the first time */
static bool
ticket(struct selftest *t, struct door *d, char path[PATH_BYTES])
{
	AUTO_JSON *answer = NULL;
	char at[PATH_BYTES], endpoint[120];
	const char *url, *slash;

	snprintf(at, sizeof(at), "/api/cells/%s/enter", t->scene.cell);
	if (scene_json(t, PART_MEMBER, "POST", at, json_object(), &answer) != 200)
		return false;
	url = out_member(answer, "url");
	slash = strlen(url) > 8 ? strchr(url + 8, '/') : NULL;
	if (!slash || (size_t)(slash - url) >= sizeof(endpoint) || strlen(slash) >= PATH_BYTES)
		return false;
	snprintf(endpoint, sizeof(endpoint), "%.*s", (int)(slash - url), url);
	snprintf(path, PATH_BYTES, "%s", slash);
	snprintf(d->origin, sizeof(d->origin), "Origin: %.100s", endpoint);
	return d->net || !err_is(net_other(t->net, endpoint, &d->net));
}

/* the first part of a Set-Cookie, added to what is sent */
static void
keep_cookie(struct door *d, const char *set)
{
	size_t had = strlen(d->cookie), n = strcspn(set, ";");

	if (n == 0)
		return;
	if (had == 0)
		had = (size_t)snprintf(d->cookie, sizeof(d->cookie), "Cookie: ");
	else
		had += (size_t)snprintf(d->cookie + had, sizeof(d->cookie) - had, "; ");
	if (had < sizeof(d->cookie))
		snprintf(d->cookie + had, sizeof(d->cookie) - had, "%.*s", (int)n, set);
	if (strncmp(set, "_xsrf=", 6) == 0)
		snprintf(d->xsrf, sizeof(d->xsrf), "X-XSRFToken: %.*s", (int)(n - 6), set + 6);
}

static bool
go_in(struct selftest *t, struct door *d)
{
	AUTO_ANSWER a = NET_ANSWER;
	char path[PATH_BYTES];

	if (!ticket(t, d, path))
		return false;
	ask(d, "GET", path, "", STR_NONE, &a);
	if (a.status != 303)
		return false;
	keep_cookie(d, a.cookie);
	tell_door(t, d, "use a cell's ticket twice", path, "");
	return true;
}

static void
attack_doors(struct selftest *t, struct door *d)
{
	static const struct { const char *attack, *rest; } routes[] = {
		{"download a file from a cell", "files/first-look.ipynb"},
		{"download it with ?download=1", "files/first-look.ipynb?download=1"},
		{"download it as a document", "api/contents/first-look.ipynb?content=1&format=base64&type=file"},
		{"download it converted", "nbconvert/html/first-look.ipynb?download=true"},
		{"open a terminal in a cell", "api/terminals"},
	};
	char path[PATH_BYTES];

	snprintf(path, sizeof(path), "/cell/%s/lab", t->scene.other_cell);
	tell_door(t, d, "enter another's cell with one's own cookie", path, d->cookie);
	snprintf(path, sizeof(path), "/cell/%s/lab", t->scene.cell);
	tell_door(t, d, "enter a cell without a cookie", path, "");
	snprintf(path, sizeof(path), "/api/cells/%s/enter", t->scene.cell);
	must_refuse(t, "a ticket for another's cell", &player(t, PART_INVESTIGATOR)->key, "POST", path, json_object(), 404);
	must_refuse(t, "a ticket as the administrator", &t->admin, "POST", path, json_object(), 0);
	for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
		snprintf(path, sizeof(path), "/cell/%s/%s", t->scene.cell, routes[i].rest);
		tell_door(t, d, routes[i].attack, path, d->cookie);
	}
}

/* ---- the ways out ---- */

/* until ${holds} of what the cell does now; the caller's, or NULL: not in time */
static json_t *
live(struct selftest *t, bool (*holds)(const json_t *live, const char *what), const char *what)
{
	char path[PATH_BYTES];

	snprintf(path, sizeof(path), "/api/cells/%s", t->scene.cell);
	do {
		json_t *cell = NULL;

		scene_json(t, PART_MEMBER, "GET", path, NULL, &cell);
		if (holds(json_object_get(cell, "live"), what))
			return cell;
		json_decref(cell);
	} while (scene_may_wait(t));
	return NULL;
}

static bool
listens(const json_t *l, const char *what)
{
	(void)what;
	return json_is_true(json_object_get(l, "notebook"));
}

static bool
has_ended(const json_t *l, const char *worker)
{
	const json_t *w;
	size_t i;

	json_array_foreach(json_object_get(l, "workers"), i, w)
		if (strcmp(out_member(w, "id"), worker) == 0)
			return json_is_false(json_object_get(w, "running"));
	return false;
}

static bool
has_counted(const json_t *l, const char *what)
{
	const char *way;
	json_t *n;

	(void)what;
	json_object_foreach(json_object_get(l, "refused"), way, n)
		if (json_integer_value(n) > 0)
			return true;
	return false;
}

static bool
write_script(struct selftest *t, struct door *d)
{
	const char *port = strrchr(net_endpoint(t->net), ':'), *mark = strstr(script, "${PORT}");
	AUTO_BUF text = BUF(16 * KiB);
	AUTO_JSON *document = NULL;
	AUTO_ANSWER page = NET_ANSWER;
	AUTO_ANSWER a = NET_ANSWER;
	char path[PATH_BYTES], *body;

	buf_put(&text, script, (size_t)(mark - script));
	buf_put_c(&text, port ? port + 1 : "8443");
	buf_put_c(&text, mark + strlen("${PORT}"));
	snprintf(path, sizeof(path), "/cell/%s/lab", t->scene.cell);
	ask(d, "GET", path, d->cookie, STR_NONE, &page);
	if (page.status != 200)
		return false;
	keep_cookie(d, page.cookie);
	document = json_pack("{s:s, s:s, s:s%}", "type", "file", "format", "text", "content", text.p, text.n);
	body = json_dumps(document, JSON_COMPACT);
	snprintf(path, sizeof(path), "/cell/%s/api/contents/" SCRIPT, t->scene.cell);
	ask(d, "PUT", path, d->cookie, str_c(body), &a);
	free(body);
	return a.status == 200 || a.status == 201;
}

/* the log of a worker: what it has printed */
static void
read_log(struct selftest *t, const struct door *d, const char *worker, struct buf *ret)
{
	AUTO_ANSWER a = NET_ANSWER;
	AUTO_JSON *j = NULL;
	char path[PATH_BYTES];

	snprintf(path, sizeof(path), "/cell/%s/api/contents/worker-%.40s.log?content=1&format=text&type=file", t->scene.cell, worker);
	ask(d, "GET", path, d->cookie, STR_NONE, &a);
	j = a.body.n ? json_loadb(a.body.p, a.body.n, 0, NULL) : NULL;
	buf_put_c(ret, out_member(j, "content"));
}

static unsigned
tell_ways(struct selftest *t, struct str log)
{
	struct str line, name, rest, word;
	char attack[64];
	unsigned n = 0;

	while (log.n > 0) {
		str_split(log, '\n', &line, &log);
		if (!str_split(line, '\t', &name, &rest))
			continue;
		str_split(rest, '\t', &word, &rest);
		snprintf(attack, sizeof(attack), "out of a cell: %.*s", STR_ARG(str_sub(name, 0, 40)));
		tell(t, str_eq(word, STR("refused")) ? REFUSED : FAILED, attack, "%.*s", STR_ARG(str_sub(rest, 0, 100)));
		n++;
	}
	return n;
}

static void
attack_walls(struct selftest *t, struct door *d)
{
	AUTO_JSON *up = NULL, *made = NULL, *ended = NULL, *counted = NULL;
	AUTO_BUF log = BUF(64 * KiB);
	char path[PATH_BYTES];

	up = live(t, listens, "");
	if (!up || !write_script(t, d)) {
		tell(t, up ? FAILED : SKIPPED, "the ways out of a cell", up ? "its notebook does not take a script" : "its notebook does not listen in time");
		return;
	}
	snprintf(path, sizeof(path), "/api/cells/%s/workers", t->scene.cell);
	if (scene_json(t, PART_MEMBER, "POST", path, json_pack("{s:s}", "script", SCRIPT), &made) == 202)
		ended = live(t, has_ended, out_member(made, "worker"));
	if (ended)
		read_log(t, d, out_member(made, "worker"), &log);
	if (tell_ways(t, buf_str(&log)) == 0) {
		tell(t, ended ? FAILED : SKIPPED, "the ways out of a cell", "the script that tries them has not told anything");
		return;
	}
	counted = live(t, has_counted, "");
	tell(t, counted ? REFUSED : FAILED, "try them unseen", counted ? "the cell has counted the attempts" : "the cell has counted nothing");
}

void
attack_cell(struct selftest *t)
{
	struct door d = {.net = NULL};
	char path[PATH_BYTES];

	if (t->scene.study[0]) {
		snprintf(path, sizeof(path), "/api/cells");
		must_refuse(t, "open a cell on another's study", &t->mallory.key, "POST", path, json_pack("{s:s}", "study", t->scene.study), 404);
	}
	if (!scene_cells(t)) {
		tell(t, SKIPPED, "the doors and walls of a cell", "there is none: %s", t->scene.why);
		return;
	}
	if (go_in(t, &d)) {
		attack_doors(t, &d);
		attack_walls(t, &d);
	} else {
		tell(t, SKIPPED, "the doors of a cell", "no ticket: cloister.yaml names no address for cells, or nothing answers there");
	}
	net_close(d.net);
	explicit_bzero(&d, sizeof(d));
}
