#include "tests/support/children.h"

#include "tests/support/suite.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

_Noreturn static void
child_run(int n, int gate, bool (*work)(int n), const struct fn_error *err)
{
	char byte;

	if (read(gate, &byte, 1) != 0)
		_exit(2);
	bool ok = work(n);
	if (!ok)
		fprintf(stderr, "child %d: %s\n", n, err->message);
	_exit(ok ? 0 : 1);
}

void
children_run(int count, bool (*work)(int n), const struct fn_error *err)
{
	pid_t children[CHILDREN_MOST];
	int gate[2];

	ck_assert(count <= CHILDREN_MOST && pipe(gate) == 0);
	for (int n = 0; n < count; n++) {
		children[n] = fork();
		ck_assert_int_ge(children[n], 0);
		if (children[n] == 0) {
			close(gate[1]);
			child_run(n, gate[0], work, err);
		}
	}
	close(gate[0]);
	close(gate[1]); /* and they are off */
	for (int n = 0; n < count; n++) {
		int status;

		ck_assert_int_eq(waitpid(children[n], &status, 0), children[n]);
		ck_assert_int_eq(status, 0);
	}
}
