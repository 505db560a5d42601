/*
 * broker_files: what a broker wants of intake, from intake's own folder, read once before the last door shuts: for feed F the files
 * F.ca.pem (who signs the broker's certificate; default: the house), F.pem and F.key (intake's own certificate), F.login (one line "user:password").
 */
#ifndef CLOISTER_INTAKE_BROKER_FILES_H
#define CLOISTER_INTAKE_BROKER_FILES_H

#include "base/buf.h"
#include "intake/intake.h"

struct broker_files {
	struct buf ca, cert, key;
	char user[256], password[256];
};

struct err broker_files_read(const struct intake_broker *b, size_t n);
const struct broker_files *broker_files(size_t i);
void broker_files_release(void); /* wiped */

#endif
