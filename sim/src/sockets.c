// SPDX-License-Identifier: Apache-2.0
#include "sockets.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 64 };

// Returns 0 when path is free now, else an errno value.
static int clear_path(const struct sockaddr_un *address, int type)
{
    struct stat status;
    if (lstat(address->sun_path, &status) != 0)
        return errno == ENOENT ? 0 : errno;
    if (!S_ISSOCK(status.st_mode))
        return EEXIST;
    int probe = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    if (probe < 0)
        return errno;
    int error = connect(probe, (const struct sockaddr *)address, sizeof *address) == 0 ? EADDRINUSE : errno;
    close(probe);
    if (error != ECONNREFUSED)
        return error;
    return unlink(address->sun_path) == 0 ? 0 : errno;
}

static int bind_and_listen(int fd, const struct sockaddr_un *address)
{
    mode_t before = umask(0177); // 0600 from the first moment; the daemon has one thread
    int bound = bind(fd, (const struct sockaddr *)address, sizeof *address);
    int error = bound == 0 ? 0 : errno;
    umask(before);
    if (error == 0 && listen(fd, BACKLOG) != 0)
        error = errno;
    return error;
}

int eph_listen(const char *path, int type)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(address.sun_path, path, strlen(path));
    int error = clear_path(&address, type), fd = -1;
    if (error == 0) {
        fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        error = fd < 0 ? errno : bind_and_listen(fd, &address);
    }
    if (error != 0 && fd >= 0)
        close(fd);
    errno = error;
    return error ? -1 : fd;
}
