/* handler.h: the local cloud's front door. */
#ifndef HANDLER_H
#define HANDLER_H

#include "fn/files.h"
#include "fn/http_client.h"
#include "local/gateway/services.h"

struct gateway {
	struct services *services;
	struct fn_http_client *client;
	struct fn_files web, objects;
	struct service *issuer; /* where people sign in; NULL: nowhere */
};

fn_handler gateway_handle; /* `with` is a struct gateway */

#endif
