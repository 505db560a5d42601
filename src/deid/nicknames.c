#include "deid/nicknames.h"

#include "base/num.h"

/* a formal name, and what such people are called; separated by a space */
static const char *const groups[] = {
    "william bill billy will willy willie", "robert bob bobby rob robbie bert", "richard dick rick ricky rich richie",
    "james jim jimmy jamie", "john jack johnny jon", "joseph joe joey jo", "thomas tom tommy", "charles charlie chuck chas",
    "edward ed eddie ted ned", "henry hank harry hal", "michael mike mikey mick", "daniel dan danny", "david dave davey",
    "matthew matt", "andrew andy drew", "anthony tony", "christopher chris kit topher", "nicholas nick nicky",
    "steven steve stevie", "stephen steve stevie", "kenneth ken kenny", "ronald ron ronnie", "donald don donnie",
    "timothy tim timmy", "gregory greg", "jeffrey jeff", "geoffrey jeff geoff", "benjamin ben benny benji", "samuel sam sammy",
    "samantha sam sammy", "alexander alex al sandy xander", "alexandra alex sandra alexa", "albert al bert",
    "alfred al fred alf", "frederick fred freddy fritz", "francis frank fran", "frances fran frannie francie", "lawrence larry",
    "leonard len lenny leo", "raymond ray", "walter walt wally", "gerald gerry jerry", "jerome jerry", "peter pete",
    "philip phil", "phillip phil", "patrick pat paddy", "patricia pat patty patti trish tricia", "theodore ted teddy theo",
    "douglas doug", "eugene gene", "vincent vince vinny", "zachary zach zack", "jacob jake", "joshua josh",
    "nathaniel nate nathan nat", "jonathan jon nathan", "arthur art artie",
    "elizabeth liz lizzie beth betty betsy eliza libby lisa", "margaret maggie meg peggy marge margie greta rita",
    "katherine kate kathy katie kay kit", "catherine cathy kate cat katie", "kathleen kathy katie", "mary molly polly mae",
    "jennifer jen jenny", "jessica jess jessie", "rebecca becky becca", "deborah deb debbie debra", "susan sue susie suzy",
    "suzanne sue suzy", "barbara barb barbie babs", "christine chris chrissy tina", "christina chris tina chrissy",
    "dorothy dot dottie dolly", "eleanor ellie nell nora", "helen nell nellie", "virginia ginny ginger",
    "victoria vicky vicki tori", "cynthia cindy", "sandra sandy", "pamela pam", "judith judy", "jacqueline jackie",
    "theresa terry tess tessa", "teresa terry tess tessa", "amanda mandy", "abigail abby gail", "angela angie",
    "veronica ronnie vera", "isabella bella izzy", "josephine jo josie", "florence flo", "gertrude trudy gert", "mildred millie",
    "lillian lily lil", "louise lou", "charlotte lottie charlie", "caroline carrie", "carolyn carrie lynn", "kimberly kim",
    "stephanie steph", "nancy nan", "ann annie nancy", "anne annie nan", "anna annie", "guadalupe lupe", "jose pepe",
    "francisco paco pancho", "ignacio nacho", "jesus chuy", "rosario chayo", "dolores lola", "mercedes meche", "mohammed mo",
    "muhammad mo", "aleksandr sasha", "dmitri dima", "mikhail misha", "ekaterina katya"};

bool
nickname_next(struct str name, size_t *at, struct str *ret)
{
	for (size_t g = *at >> 8, k = *at & 255; g < ARRAY_LEN(groups); g++, k = 0) {
		struct str rest = str_c(groups[g]), word;
		bool more = str_split(rest, ' ', &word, &rest);

		if (!str_eq_nocase(word, name))
			continue;
		for (size_t n = 0; more; n++) {
			more = str_split(rest, ' ', &word, &rest);
			if (n == k) {
				*ret = word;
				*at = g << 8 | (k + 1);
				return true;
			}
		}
	}
	return false;
}
