// SPDX-License-Identifier: Apache-2.0
#include "paths.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

bool path_beside_program(const char *relative, char *path, size_t size)
{
    ssize_t length = readlink("/proc/self/exe", path, size);
    if (length <= 0 || (size_t)length >= size)
        return false;
    path[length] = '\0';
    char *name = strrchr(path, '/') + 1;
    size_t room = size - (size_t)(name - path);
    return (size_t)snprintf(name, room, "%s", relative) < room;
}

bool list_has(const char *list, const char *name)
{
    while (list) {
        size_t length = strcspn(list, ",");
        if (length == strlen(name) && strncasecmp(list, name, length) == 0)
            return true;
        list = list[length] ? list + length + 1 : NULL;
    }
    return false;
}
