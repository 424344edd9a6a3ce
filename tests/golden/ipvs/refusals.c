/* Has ipvsadm see refusals that no kernel would give: preloaded, it turns the acknowledgement of each IPVS command into
 * an error, with errno 1 for the first and one more for each after it. See refusals.sh. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <sys/socket.h>

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
    static ssize_t (*real)(int, struct msghdr *, int);
    static int next = 1;
    struct nlmsghdr *header;
    ssize_t length, left;

    if (!real)
        real = dlsym(RTLD_NEXT, "recvmsg");
    length = left = real(fd, message, flags);
    if (length <= 0 || flags & MSG_PEEK)
        return length;
    for (header = message->msg_iov->iov_base; NLMSG_OK(header, (size_t)left); header = NLMSG_NEXT(header, left)) {
        struct nlmsgerr *error = NLMSG_DATA(header);
        if (header->nlmsg_type == NLMSG_ERROR && error->msg.nlmsg_type != GENL_ID_CTRL)
            error->error = -next++;
    }
    return length;
}
