// SPDX-License-Identifier: Apache-2.0
#include "gnuplot.h"

#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

bool gnuplot_present(void)
{
    const char *path = getenv("PATH");
    char candidate[4096];
    for (; path && *path; path += strcspn(path, ":"), path += *path == ':') {
        snprintf(candidate, sizeof(candidate), "%.*s/gnuplot", (int)strcspn(path, ":"), path);
        if (access(candidate, X_OK) == 0)
            return true;
    }
    return false;
}

// gnuplot with its script as standard input and a nameless file as standard output.
static bool run(FILE *script, FILE *picture)
{
    char *const arguments[] = {"gnuplot", "-", NULL};
    posix_spawn_file_actions_t actions;
    pid_t pid;
    int status = -1;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, fileno(script), STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, fileno(picture), STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", 1 /* O_WRONLY */, 0);
    bool started = posix_spawnp(&pid, "gnuplot", &actions, NULL, arguments, environ) == 0;
    posix_spawn_file_actions_destroy(&actions);
    return started && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool gnuplot_svg(const char *script_text, FILE *page)
{
    char line[4096];
    bool inside = false, good = false;
    FILE *script = tmpfile(), *picture = tmpfile();
    if (script && picture && fputs(script_text, script) >= 0 && fflush(script) == 0) {
        rewind(script);
        good = run(script, picture);
        rewind(picture);
        while (good && fgets(line, sizeof(line), picture)) {
            inside |=
                strncmp(line, "<svg", 4) == 0; // what precedes is the prologue of an XML file, not allowed inside HTML
            if (inside)
                fputs(line, page);
        }
    }
    if (script)
        fclose(script);
    if (picture)
        fclose(picture);
    return good && inside;
}
