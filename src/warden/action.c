#include "warden/action.h"

#include "base/err.h"

static const struct {
	const char *policy, *act;
	enum action_class class;
} actions[ACTION_COUNT] = {
#define X(suffix, policy_, act_, class_) [ACTION_##suffix] = {policy_, act_, CLASS_##class_},
	ACTIONS(X)
#undef X
};

const char *
action_policy_name(enum action a)
{
	INVARIANT(a < ACTION_COUNT);
	return actions[a].policy;
}

const char *
action_record_act(enum action a)
{
	INVARIANT(a < ACTION_COUNT);
	return actions[a].act;
}

enum action_class
action_class(enum action a)
{
	INVARIANT(a < ACTION_COUNT);
	return actions[a].class;
}
