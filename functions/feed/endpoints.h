/* endpoints.h: what handler.c routes to. */
#ifndef FEED_ENDPOINTS_H
#define FEED_ENDPOINTS_H

#include "functions/feed/handler.h"

/* creations.c */
fn_handler feed_explore, feed_show, feed_remove, feed_publish;

/* likes.c */
fn_handler feed_like, feed_unlike;

/* people.c */
fn_handler feed_account, feed_rename, feed_own, feed_drafts, feed_profile, feed_profile_creations;

#endif
