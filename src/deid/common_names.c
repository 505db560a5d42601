/*
 * The most common first names, surnames and large towns of the United States, as anybody knows them: a floor for houses that bring no
 * dictionaries of their own. doc/deid.md says how much longer lists find.
 */
#include "deid/wordlists.h"

#include "base/num.h"

static const char firsts[] =
    "james john robert michael william david richard joseph thomas charles christopher daniel matthew anthony donald steven paul andrew "
    "joshua kenneth kevin brian george edward ronald timothy jason jeffrey ryan jacob gary nicholas eric jonathan stephen larry justin "
    "scott brandon benjamin samuel gregory frank alexander raymond patrick jack dennis jerry tyler aaron jose adam nathan henry "
    "douglas zachary kyle walter ethan jeremy harold keith christian roger noah gerald carl terry sean austin arthur lawrence jesse "
    "dylan bryan joe jordan billy bruce albert willie gabriel logan alan juan wayne roy ralph randy eugene vincent russell elijah louis "
    "bobby philip johnny bradley curtis craig howard fred leonard luis carlos antonio manuel francisco miguel pedro jorge ricardo "
    "fernando alejandro eduardo rafael javier sergio mario roberto hector oscar victor ruben raul enrique julio cesar ernesto alfredo "
    "alberto armando arturo gilbert marvin leroy clarence melvin norman stanley leo alvin lee glenn clifford herbert theodore calvin "
    "edwin don micheal dustin derek corey shane marcus tony todd travis jared cody brett chad joel evan ian julian liam mason lucas "
    "oliver aiden jackson caleb isaac owen levi connor wyatt hunter adrian xavier dominic miles diego ivan omar ali ahmed mohammed "
    "muhammad ibrahim hassan hussein yusuf abdul raj ravi sanjay amit anil vijay wei ming jun hiroshi kenji takashi minh dmitri sergei "
    "vladimir igor boris stefan hans klaus pierre jean francois giovanni paolo marco luca andrei mikhail kwame kofi chidi emeka "
    "mary patricia jennifer linda elizabeth barbara susan jessica sarah karen lisa nancy betty sandra margaret ashley kimberly emily "
    "donna michelle carol amanda melissa deborah stephanie dorothy rebecca sharon laura cynthia amy kathleen angela shirley brenda "
    "emma anna pamela nicole samantha katherine christine helen debra rachel carolyn janet maria catherine heather diane olivia julie "
    "joyce victoria ruth virginia lauren kelly christina joan evelyn judith andrea hannah megan cheryl jacqueline martha madison "
    "teresa gloria sara janice ann kathryn abigail sophia frances jean alice judy isabella julia grace denise amber marilyn danielle "
    "beverly charlotte natalie theresa diana brittany doris kayla alexis lori marie carmen rosa ana guadalupe juanita elena lucia "
    "sofia valentina camila gabriela adriana alejandra veronica leticia silvia yolanda irma norma alicia esperanza dolores consuelo "
    "tiffany crystal wendy tracy dawn tina peggy rita cindy ellen bonnie phyllis lois annie connie jane louise wanda josephine ruby "
    "lillian florence edna thelma ethel gladys marjorie edith mildred irene lucille bernice vivian pauline lorraine eleanor sylvia "
    "beatrice sheila erin vanessa monica cassandra felicia latoya keisha tamika ebony jasmine aaliyah destiny kiara imani shanice "
    "chloe zoe ava mia harper amelia ella avery scarlett aria layla nora leah audrey claire lucy stella hazel violet aurora savannah "
    "brooklyn bella skylar paisley naomi elsa ingrid astrid priya anjali deepa lakshmi sunita meera fatima aisha zainab khadija mei "
    "ling xiu yuki sakura hana linh thuy svetlana natasha olga tatiana irina katarina monique simone chantal amara ngozi adaeze";

static const char surnames[] =
    "smith johnson williams jones garcia miller davis rodriguez martinez hernandez lopez gonzalez wilson anderson thomas taylor "
    "moore jackson martin lee perez thompson harris sanchez clark ramirez lewis robinson walker young allen wright scott torres "
    "nguyen flores adams nelson rivera campbell mitchell carter roberts gomez phillips evans turner diaz parker cruz edwards collins "
    "reyes stewart morris morales murphy cook rogers gutierrez ortiz morgan cooper peterson bailey reed kelly howard ramos kim cox ward "
    "richardson watson brooks chavez wood bennett gray mendoza ruiz hughes alvarez castillo sanders patel myers ross "
    "foster jimenez powell jenkins perry russell sullivan bell coleman butler henderson barnes gonzales fisher vasquez simmons romero "
    "jordan patterson alexander hamilton graham reynolds griffin wallace moreno west cole hayes bryant herrera gibson ellis tran "
    "medina aguilar stevens murray ford castro marshall owens harrison fernandez mcdonald woods washington kennedy wells vargas henry "
    "chen freeman webb tucker guzman burns crawford olson simpson porter hunter gordon mendez silva shaw snyder dixon munoz hunt "
    "hicks holmes palmer wagner robertson boyd stone salazar warren mills meyer garza schmidt weber dunn peters hawkins "
    "wheeler gardner payne ferguson stephens arnold pierce willis spencer hudson lawson snow daniels bishop carr lane fields andrews "
    "kelley ray oliver carpenter austin armstrong franklin lawrence greene montgomery harper chapman elliott ryan obrien mccoy "
    "richards cunningham bradley johnston harvey williamson carlson weaver morrison jensen duncan berry banks hansen fuller fowler "
    "knight watkins larson brewer maldonado lynch hart fox gilbert sims burke bates hopkins caldwell barrett pena soto delgado "
    "guerrero pearson schneider nichols mckinney obama yang lin wu zhang wang liu li zhao huang zhou chang wong chan lam ho ng cheng hsu kang choi "
    "park jung cho yoon lim han shin kwon pham le hoang vu vo dang bui do ngo duong singh kumar sharma gupta shah khan ahmed ali hassan "
    "hussain rahman mohamed ibrahim abdi farah nasser haddad khalil mansour saleh cohen levy goldberg friedman rosenberg katz kaplan "
    "shapiro schwartz weiss klein hoffman mueller becker schultz fischer zimmerman bauer koch richter krueger vogel kowalski nowak "
    "wisniewski lewandowski ivanov petrov sokolov volkov popov novak horvat kovacs nagy szabo rossi russo ferrari esposito romano "
    "colombo marino greco bruno gallo conti costa giordano rizzo moretti silva santos oliveira souza pereira lima carvalho ferreira "
    "almeida ribeiro okafor okonkwo adeyemi mensah owusu boateng diallo traore kamau njoroge mwangi okeke eze nwosu osei asante "
    "larsen nielsen pedersen andersen johansson karlsson nilsson eriksson lindqvist virtanen korhonen murphy oneill oconnor "
    "odonnell doyle gallagher doherty kennedy mccarthy quinn byrne macdonald mackenzie campbell stuart fraser cameron douglas hughes "
    "lloyd owen griffiths pritchard fitzgerald fitzpatrick maguire callahan donovan flanagan brennan dubois lefebvre moreau laurent "
    "girard bernard dupont fontaine leblanc landry boudreaux hebert fortin gagnon tremblay acosta avila ayala barrera beltran benitez "
    "bravo bustamante cabrera calderon campos cardenas carrillo cervantes cisneros contreras cordova coronado cortez dominguez duarte "
    "duran escobar espinoza esquivel estrada figueroa franco fuentes galindo gallegos galvan guerra ibarra juarez lara leal leon lozano "
    "lucero lugo luna macias marquez mejia mercado meza miranda molina montoya mora navarro nunez ochoa orozco ortega osorio pacheco "
    "padilla palacios ponce quintana quintero ramos rangel robles rocha rojas rosales rosario rubio salas salinas sandoval santana santiago "
    "serrano sierra solis suarez tapia trejo trevino trujillo valdez valencia valenzuela vega velasquez vera villa villanueva villarreal "
    "zamora zapata zavala zuniga lowe barker jennings barnett graves mcdaniel wolfe hodges byrd norris steele dawson curry mann "
    "haynes gregory jacobs mcguire terry lyons keller fleming sherman manning walters parsons vaughn francis griffith daniel barton "
    "rhodes wade mckenzie fletcher norman holland mack gibbs goodwin hampton cohen leonard frank glover hammond moran burgess "
    "mclaughlin bowman schroeder brady bush reese thornton townsend swanson saunders harding cross conner christensen garrett lamb "
    "chambers strickland pratt hubbard blair malone";

static const char *const towns[] = {"new york", "los angeles", "chicago", "houston", "phoenix", "philadelphia", "san antonio", "san diego",
    "dallas", "san jose", "austin", "jacksonville", "fort worth", "columbus", "indianapolis", "charlotte", "san francisco", "seattle",
    "denver", "nashville", "oklahoma city", "el paso", "boston", "portland", "las vegas", "detroit", "memphis", "louisville", "baltimore",
    "milwaukee", "albuquerque", "tucson", "fresno", "sacramento", "mesa", "kansas city", "atlanta", "omaha", "colorado springs", "raleigh",
    "long beach", "virginia beach", "miami", "oakland", "minneapolis", "tulsa", "bakersfield", "wichita", "arlington", "aurora", "tampa",
    "new orleans", "cleveland", "honolulu", "anaheim", "lexington", "stockton", "corpus christi", "henderson", "riverside", "newark",
    "saint paul", "santa ana", "cincinnati", "irvine", "orlando", "pittsburgh", "saint louis", "st louis", "greensboro", "lincoln", "anchorage",
    "plano", "durham", "jersey city", "chandler", "chula vista", "buffalo", "gilbert", "madison", "reno", "toledo", "fort wayne", "lubbock",
    "saint petersburg", "laredo", "irving", "chesapeake", "glendale", "scottsdale", "norfolk", "boise", "richmond", "spokane", "baton rouge",
    "tacoma", "san bernardino", "modesto", "fontana", "des moines", "fremont", "moreno valley", "santa clarita", "fayetteville", "birmingham",
    "oxnard", "rochester", "grand rapids", "huntsville", "salt lake city", "yonkers", "amarillo", "montgomery", "little rock", "akron",
    "augusta", "columbia", "shreveport", "mobile", "worcester", "knoxville", "newport news", "brownsville", "overland park", "santa rosa",
    "chattanooga", "tallahassee", "providence", "fort lauderdale", "jackson", "tempe", "ontario", "springfield", "eugene", "salem", "peoria",
    "dayton", "syracuse", "hartford", "bridgeport", "new haven", "stamford", "waterbury", "manchester", "nashua", "burlington", "cambridge",
    "lowell", "quincy", "somerville", "brookline", "newton", "waltham", "framingham", "lynn", "brockton", "fall river", "new bedford",
    "cedar rapids", "sioux falls", "fargo", "bismarck", "billings", "missoula", "cheyenne", "topeka", "evansville", "south bend", "gary",
    "ann arbor", "lansing", "flint", "green bay", "duluth", "rockford", "naperville", "joliet", "erie", "allentown", "scranton", "trenton",
    "camden", "wilmington", "annapolis", "charleston", "huntington", "roanoke", "savannah", "macon", "athens", "gainesville", "pensacola",
    "biloxi", "gulfport", "beaumont", "galveston", "waco", "abilene", "midland", "odessa", "santa fe", "las cruces", "flagstaff", "yuma",
    "provo", "ogden", "pocatello", "yakima", "bellevue", "everett", "medford", "redding", "berkeley", "san mateo", "palo alto", "santa cruz",
    "monterey", "santa barbara", "pasadena", "burbank", "riverton", "oakdale", "fairview", "greenville", "milford", "clayton",
    "georgetown", "winchester", "hudson", "bristol", "marion", "newport", "ashland", "auburn", "dover", "concord", "franklin", "clinton"};

static struct err
add_words(struct wordlists *w, enum word_bit bit, const char *words)
{
	struct str rest = str_c(words), word;
	bool more = true;

	while (more) {
		more = str_split(rest, ' ', &word, &rest);
		TRY(wordlists_add(w, bit, word));
	}
	return OK;
}

struct err
wordlists_add_common(struct wordlists *w)
{
	TRY(add_words(w, WORD_FIRST, firsts));
	TRY(add_words(w, WORD_SURNAME, surnames));
	for (size_t i = 0; i < ARRAY_LEN(towns); i++)
		TRY(wordlists_add(w, WORD_PLACE, str_c(towns[i])));
	return OK;
}
