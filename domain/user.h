/* user.h: who a call is made for. */
#ifndef USER_H
#define USER_H

#include "fn/bytes.h"

struct user {
	struct fn_bytes id;       /* "user_dev" */
	struct fn_bytes username; /* empty: none yet */
};

#endif
