/* Stands between ipvsadm and the kernel: writes down every generic netlink request, in hex, and answers it with success.
 *
 * Preloaded into the peer it shows what a command line means before any table is looked at, and needs no rights and no
 * ip_vs; there are no connections. Requests go to the file named by NETLINK_TAP, one a line: the number of the
 * command, "*" for a dump, and the attributes.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { IPVS_FAMILY = 77, GET_CONFIG = 13, GET_INFO = 15 };

struct reply { unsigned size; char data[256]; };
static struct reply queue[8];
static unsigned head, tail;

static struct nlmsghdr *put(const struct nlmsghdr *request, int type, int flags, unsigned payload) {
    struct reply *r = &queue[tail++ % 8];
    struct nlmsghdr *h = (struct nlmsghdr *)r->data;
    memset(r, 0, sizeof *r);
    r->size = h->nlmsg_len = NLMSG_LENGTH(payload);
    h->nlmsg_type = type;
    h->nlmsg_flags = flags;
    h->nlmsg_seq = request->nlmsg_seq;
    h->nlmsg_pid = request->nlmsg_pid;
    return h;
}

static void put_u32s(const struct nlmsghdr *request, int command, int first, const unsigned *values, int count) {
    struct nlmsghdr *h = put(request, IPVS_FAMILY, 0, GENL_HDRLEN + 8 * count);
    struct genlmsghdr *g = NLMSG_DATA(h);
    struct nlattr *a = (struct nlattr *)((char *)g + GENL_HDRLEN);
    g->cmd = command;
    g->version = 1;
    for (int i = 0; i < count; i++, a += 2) {
        a->nla_len = 8;
        a->nla_type = first + i;
        memcpy(a + 1, values + i, 4);
    }
}

static void answer(const struct nlmsghdr *request) {
    const struct genlmsghdr *g = NLMSG_DATA(request);
    static const unsigned info[] = {0x010201, 4096}, timeouts[] = {900, 120, 300};
    head = tail; /* a new request abandons what was not read of the last */
    if (request->nlmsg_type == GENL_ID_CTRL) {
        struct nlmsghdr *h = put(request, GENL_ID_CTRL, 0, GENL_HDRLEN + 20);
        char *p = NLMSG_DATA(h);
        static const unsigned short id[] = {6, CTRL_ATTR_FAMILY_ID, IPVS_FAMILY, 0}, name[] = {9, CTRL_ATTR_FAMILY_NAME};
        *p = CTRL_CMD_NEWFAMILY;
        memcpy(p + 4, id, 8);
        memcpy(p + 12, name, 4);
        strcpy(p + 16, "IPVS");
        h->nlmsg_len = queue[(tail - 1) % 8].size = NLMSG_LENGTH(GENL_HDRLEN + 8 + 12);
    } else if (g->cmd == GET_INFO)
        put_u32s(request, GET_INFO, 1, info, 2);
    else if (g->cmd == GET_CONFIG)
        put_u32s(request, GET_CONFIG, 4, timeouts, 3);
    if (request->nlmsg_flags & NLM_F_DUMP)
        put(request, NLMSG_DONE, NLM_F_MULTI, 4);
    else
        put(request, NLMSG_ERROR, 0, 4 + sizeof *request);
}

FILE *fopen(const char *path, const char *mode) {
    static char connections[] = "Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData\n";
    FILE *(*next)(const char *, const char *) = (FILE * (*)(const char *, const char *))dlsym(RTLD_NEXT, "fopen");
    return strcmp(path, "/proc/net/ip_vs_conn") ? next(path, mode) : fmemopen(connections, strlen(connections), "r");
}

ssize_t sendmsg(int fd, const struct msghdr *m, int flags) {
    const struct nlmsghdr *h = m->msg_iov[0].iov_base;
    (void)fd; (void)flags;
    if (h->nlmsg_type != GENL_ID_CTRL) {
        int out = open(getenv("NETLINK_TAP"), O_WRONLY | O_APPEND | O_CREAT, 0600);
        const unsigned char *p = NLMSG_DATA(h);
        dprintf(out, "%d%s ", p[0], h->nlmsg_flags & NLM_F_DUMP ? "*" : "");
        for (unsigned i = GENL_HDRLEN; i < h->nlmsg_len - NLMSG_HDRLEN; i++)
            dprintf(out, "%02x", p[i]);
        dprintf(out, "\n");
        close(out);
    }
    answer(h);
    return h->nlmsg_len;
}

ssize_t recvmsg(int fd, struct msghdr *m, int flags) {
    struct reply *r = &queue[head % 8];
    struct sockaddr_nl *from = m->msg_name;
    unsigned size = r->size < m->msg_iov[0].iov_len ? r->size : m->msg_iov[0].iov_len;
    (void)fd;
    if (head == tail)
        return 0;
    if (from) {
        memset(from, 0, sizeof *from);
        from->nl_family = AF_NETLINK;
        m->msg_namelen = sizeof *from;
    }
    memcpy(m->msg_iov[0].iov_base, r->data, size);
    m->msg_flags = size < r->size ? MSG_TRUNC : 0;
    m->msg_controllen = 0;
    if (!(flags & MSG_PEEK))
        head++;
    return flags & MSG_TRUNC ? r->size : size;
}
