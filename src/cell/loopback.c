/*
 * The network of a cell: loopback, and behind it a wall that counts. A default route leads every packet to lo, so that an attempt reaches the
 * packet filter's output hook instead of ending at "no route": there it is counted by kind and refused at once. The rules belong to the
 * user namespace outside: no power over the cell's own could change them.
 */
#include <fcntl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/fd.h"
#include "cell/keeper.h"

#define LOOPBACK_INDEX 1
#define ANSWER_BYTES 8192

static const char rules[] =
	"table inet cell {\n"
	"counter refused-dns {}\ncounter refused-tcp {}\ncounter refused-udp {}\ncounter refused-icmp {}\n"
	"counter refused-ipv6 {}\ncounter refused-other {}\n"
	"chain out { type filter hook output priority 0; policy drop;\n"
	"ip daddr 127.0.0.0/8 accept\n"
	"ip6 daddr ::1 accept\n"
	"meta l4proto udp th dport 53 counter name refused-dns reject with icmpx admin-prohibited\n"
	"meta l4proto tcp th dport { 53, 853 } counter name refused-dns reject with tcp reset\n"
	"meta nfproto ipv6 meta l4proto tcp counter name refused-ipv6 reject with tcp reset\n"
	"meta nfproto ipv6 counter name refused-ipv6 reject with icmpv6 admin-prohibited\n"
	"meta l4proto tcp counter name refused-tcp reject with tcp reset\n"
	"meta l4proto udp counter name refused-udp reject with icmpx admin-prohibited\n"
	"meta l4proto icmp counter name refused-icmp reject with icmpx admin-prohibited\n"
	"counter name refused-other reject with icmpx admin-prohibited\n"
	"}\n"
	"chain in { type filter hook input priority 0; policy drop; iifname \"lo\" accept\n}\n"
	"chain through { type filter hook forward priority 0; policy drop;\n}\n"
	"}\n";

struct question {
	struct nlmsghdr head;
	union {
		struct ifinfomsg link;
		struct { struct rtmsg route; struct rtattr a; uint32_t out; } route;
		struct nfgenmsg objects;
	};
};

/* ask(fd, q, n): one request; its errno */
static struct err
ask(int fd, struct question *q, size_t n)
{
	struct { struct nlmsghdr head; struct nlmsgerr e; } answer;

	q->head.nlmsg_len = (uint32_t)(sizeof(q->head) + n);
	q->head.nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
	if (send(fd, q, q->head.nlmsg_len, 0) < 0 || recv(fd, &answer, sizeof(answer), 0) < (ssize_t)sizeof(answer))
		return ERR_ERRNO();
	if (answer.head.nlmsg_type != NLMSG_ERROR)
		return ERR(ERR_CORRUPT);
	return answer.e.error == 0 ? OK : err_from_errno(__FILE__, __LINE__, -answer.e.error);
}

static struct err
route_to_loopback(int fd, uint8_t family)
{
	struct question q = {.head = {.nlmsg_type = RTM_NEWROUTE, .nlmsg_flags = NLM_F_CREATE}};

	q.route.route = (struct rtmsg){.rtm_family = family, .rtm_table = RT_TABLE_MAIN, .rtm_protocol = RTPROT_STATIC,
		.rtm_scope = family == AF_INET ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE, .rtm_type = RTN_UNICAST};
	q.route.a = (struct rtattr){.rta_len = sizeof(q.route.a) + sizeof(q.route.out), .rta_type = RTA_OIF};
	q.route.out = LOOPBACK_INDEX;
	return ask(fd, &q, sizeof(q.route));
}

static struct err
sysctl(const char *path, struct str value)
{
	AUTO_FD fd = -1;

	TRY(fd_open_at(AT_FDCWD, path, O_WRONLY, 0, &fd));
	return fd_write_all(fd, value);
}

struct err
loopback_shut(int *ret_counters)
{
	char *const nft[] = {(char[]){"/usr/sbin/nft"}, (char[]){"-f"}, (char[]){"-"}, NULL};
	struct question up = {.head = {.nlmsg_type = RTM_NEWLINK},
		.link = {.ifi_index = LOOPBACK_INDEX, .ifi_flags = IFF_UP, .ifi_change = IFF_UP}};
	AUTO_FD fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	AUTO_FD counters = -1;
	const struct timeval patience = {.tv_sec = 1};

	/* the wall first, then the floor */
	TRY(child_run(nft, str_of(rules, sizeof(rules) - 1)));
	if (fd < 0)
		return ERR_ERRNO();
	TRY(ask(fd, &up, sizeof(up.link)));
	TRY(route_to_loopback(fd, AF_INET));
	/* the refusal of a connection comes back from an address outside; and a ping is tried by a socket that exists */
	TRY(sysctl("/proc/sys/net/ipv4/conf/all/route_localnet", STR("1")));
	TRY(sysctl("/proc/sys/net/ipv4/ping_group_range", STR("0 2147483647")));
	err_ignore(route_to_loopback(fd, AF_INET6)); /* a machine without IPv6 */
	counters = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
	if (counters < 0 || setsockopt(counters, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) != 0)
		return ERR_ERRNO();
	*ret_counters = fd_take(&counters);
	return OK;
}

/* ---- reading the counters ---- */

/* attribute(s, type): the bytes of the first attribute of that type */
static struct str
attribute(struct str s, unsigned type)
{
	while (s.n >= sizeof(struct nlattr)) {
		struct nlattr a;

		memcpy(&a, s.p, sizeof(a));
		if (a.nla_len < sizeof(a) || a.nla_len > s.n)
			return STR_NONE;
		if ((a.nla_type & NLA_TYPE_MASK) == type)
			return str_sub(s, sizeof(a), a.nla_len - sizeof(a));
		s = str_sub(s, NLA_ALIGN(a.nla_len), SIZE_MAX);
	}
	return STR_NONE;
}

static void
add_counter(struct str object, uint64_t ret[CELL_REFUSALS])
{
	static const struct { const char *name; enum cell_refusal kind; } kinds[] = {
		{"refused-dns", REFUSED_DNS}, {"refused-tcp", REFUSED_TCP}, {"refused-udp", REFUSED_UDP}, {"refused-icmp", REFUSED_ICMP},
		{"refused-ipv6", REFUSED_IPV6}, {"refused-other", REFUSED_OTHER}};
	struct str name = attribute(object, NFTA_OBJ_NAME);
	struct str packets = attribute(attribute(object, NFTA_OBJ_DATA), NFTA_COUNTER_PACKETS);

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (packets.n == 8 && name.n == strlen(kinds[i].name) + 1 && memcmp(name.p, kinds[i].name, name.n) == 0)
			ret[kinds[i].kind] += num_get_be64((const uint8_t *)packets.p);
}

/* messages(s, ret): false: the last one was among them */
static bool
messages(struct str s, uint64_t ret[CELL_REFUSALS])
{
	while (s.n >= sizeof(struct nlmsghdr)) {
		struct nlmsghdr head;
		size_t skip = sizeof(head) + sizeof(struct nfgenmsg);

		memcpy(&head, s.p, sizeof(head));
		if (head.nlmsg_len < sizeof(head) || head.nlmsg_len > s.n || head.nlmsg_type == NLMSG_DONE || head.nlmsg_type == NLMSG_ERROR)
			return false;
		if (head.nlmsg_len >= skip)
			add_counter(str_sub(s, skip, head.nlmsg_len - skip), ret);
		s = str_sub(s, NLMSG_ALIGN(head.nlmsg_len), SIZE_MAX);
	}
	return true;
}

void
loopback_counters(int fd, uint64_t ret[CELL_REFUSALS])
{
	struct question q = {.head = {.nlmsg_len = sizeof(q.head) + sizeof(q.objects), .nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETOBJ,
		.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP}, .objects = {.nfgen_family = NFPROTO_INET}};
	char answer[ANSWER_BYTES];
	ssize_t n;

	if (fd < 0 || send(fd, &q, q.head.nlmsg_len, 0) < 0)
		return;
	do
		n = recv(fd, answer, sizeof(answer), 0);
	while (n > 0 && messages(str_of(answer, (size_t)n), ret));
}
