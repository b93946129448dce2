// Own lists, typed from general knowledge; the commonest American given names and surnames follow the public-domain lists of the US
// Census Bureau (1990, 2010).
#include "guard/gazetteer.h"

#include <string>

namespace ajar::guard {
namespace {

constexpr std::string_view kGivenNames = R"(
james john robert michael william david richard charles joseph thomas christopher daniel paul donald george kenneth steven edward
brian ronald anthony kevin jason matthew gary timothy jose larry jeffrey scott eric stephen andrew raymond gregory joshua jerry
dennis walter patrick peter harold douglas henry carl arthur ryan roger joe juan jack albert jonathan justin terry gerald keith
samuel willie ralph lawrence nicholas roy benjamin bruce brandon adam harry fred wayne billy steve louis jeremy aaron randy howard
eugene carlos russell bobby victor martin ernest phillip todd jesse craig alan shawn clarence sean philip chris johnny earl jimmy
antonio danny bryan tony luis mike stanley leonard nathan dale manuel rodney curtis norman allen marvin vincent glenn jeffery travis
jeff chad jacob lee melvin alfred kyle francis bradley herbert frederick ray joel edwin don eddie ricky troy randall barry
alexander bernard mario leroy francisco marcus micheal theodore clifford miguel oscar jay jim tom calvin alex jon ronnie bill lloyd
tommy leon derek warren darrell jerome floyd leo alvin tim wesley gordon dean greg jorge dustin pedro derrick dan lewis zachary corey
herman maurice vernon roberto clyde glen hector shane ricardo sam rick lester brent ramon charlie tyler gilbert gene marc reginald
ruben brett angel nathaniel rafael leslie edgar milton raul ben chester cecil duane franklin andre elmer brad gabriel ron mitchell
roland arnold harvey jared adrian karl cory claude erik darryl jamie neil jessie christian javier fernando clinton ted mathew tyrone
darren lonnie lance cody julio kelly kurt allan nelson guy clayton hugh max dwayne dwight armando felix jimmie everett jordan ian
wallace ken bob jaime casey alfredo alberto dave ivan johnnie sidney byron julian isaac morris clifton willard daryl ross virgil andy
marshall salvador perry kirk sergio marion tracy seth kent terrance rene eduardo terrence enrique freddie wade austin liam noah ethan
mason logan lucas oliver elijah aiden caleb owen dylan luke hunter connor evan gavin brayden colton landon xavier dominic jaxon
mary patricia linda barbara elizabeth jennifer maria susan margaret dorothy lisa nancy karen betty helen sandra donna carol ruth
sharon michelle laura sarah kimberly deborah jessica shirley cynthia angela melissa brenda amy anna rebecca virginia kathleen pamela
martha debra amanda stephanie carolyn christine marie janet catherine frances ann joyce diane alice julie heather teresa doris gloria
evelyn jean cheryl mildred katherine joan ashley judith janice nicole judy christina kathy theresa beverly denise tammy irene jane
lori rachel marilyn andrea kathryn louise sara anne jacqueline wanda bonnie julia ruby lois tina phyllis norma paula diana annie
lillian emily robin peggy crystal gladys rita dawn connie florence tracy edna tiffany carmen rosa cindy wendy victoria edith kim
sherry sylvia josephine thelma shannon sheila ethel ellen elaine marjorie carrie charlotte monica esther pauline emma juanita anita
rhonda hazel amber eva debbie leslie clara lucille jamie joanne eleanor valerie danielle megan alicia suzanne michele gail bertha
darlene veronica jill erin geraldine lauren cathy joann lorraine lynn sally regina erica beatrice dolores bernice audrey yvonne
annette samantha marion dana stacy ana renee ida vivian roberta holly brittany melanie loretta yolanda jeanette laurie katie kristen
vanessa alma sue elsie beth jeanne vicki carla tara rosemary eileen terri gertrude lucy tonya ella stacey wilma gina kristin jessie
natalie agnes vera charlene bessie delores melinda pearl arlene maureen colleen allison tamara joy georgia constance lillie claudia
jackie marcia tanya nellie minnie marlene heidi glenda lydia viola courtney marian stella caroline dora vickie mattie maxine irma
mabel marsha myrtle lena christy deanna patsy hilda gwendolyn jennie nora margie nina cassandra leah penny kay priscilla naomi carole
olga billie dianne tracey leona jenny felicia sonia miriam velma becky violet kristina toni misty mae shelly daisy ramona sherri
erika katrina claire olivia sophia isabella mia ava abigail madison chloe avery harper amelia zoe hannah grace aubrey savannah
hans klaus jürgen wolfgang dieter manfred uwe günter helmut stefan matthias mathias thorsten torsten sven björn lars jens ulrich rainer
heinz horst gerhard rolf bernd ralf jörg dirk markus tobias florian sebastian lukas jonas finn felix maximilian moritz ernst fritz
anja sabine petra monika birgit gabriele susanne claudia silke ute heike katrin kerstin sandra ursula ingrid renate brigitte helga
anneliese greta lena leonie hannelore erika karin swantje franziska johanna magdalena annika
jean pierre michel andré philippe alain bernard jacques daniel gérard françois christophe laurent nicolas olivier thierry pascal
julien sébastien benoît mathieu guillaume étienne rené yves luc antoine hugo marcel gaston émile landry
nathalie isabelle sylvie catherine françoise valérie sandrine céline aurélie camille léa manon chloé élise margot amélie odette
giuseppe giovanni antonio mario luigi francesco angelo vincenzo pietro salvatore carlo franco domenico bruno paolo michele giorgio
aldo alessandro marco matteo lorenzo davide federico leone anna maria giulia chiara francesca paola rosa angela giovanna teresa
lucia carmela caterina elena silvia alessia sofia martina cettina concetta milena lara fabrizia
josé antonio manuel francisco juan david javier daniel jesús carlos miguel alejandro rafael pedro pablo ángel sergio fernando jorge
luis alberto álvaro adrián diego raúl iván rubén enrique óscar andrés joaquín santiago ignacio vicente roberto hernán nelson
maría carmen josefa isabel dolores pilar ana teresa rosario cristina mercedes lucía marta elena laura raquel manuela silvia
beatriz nuria encarnación gloria inés julieta mariana valentina camila ximena nayla calquín rocío consuelo
joão josé antónio manuel carlos paulo pedro luís rui tiago miguel ricardo nuno bruno fábio vinicio vinícius thiago mateus gustavo
ana maria joana catarina beatriz mariana inês leonor carolina juliana larissa letícia gabriela fernanda
piotr andrzej krzysztof stanisław tomasz paweł jan marcin michał jacek jerzy tadeusz łukasz grzegorz zbigniew ryszard dariusz henryk
mariusz kazimierz wojciech robert mateusz marian rafał zdzisław bonifacy anna maria katarzyna małgorzata agnieszka krystyna barbara
ewa elżbieta zofia teresa magdalena joanna janina monika danuta jadwiga aleksandra wacława kamila bożena halina
jiří jan petr josef pavel martin tomáš jaroslav miroslav zdeněk václav michal františek jakub milan karel lukáš vladimír ladislav
ondřej roman stanislav marek zuzana jana hana eva lenka kateřina lucie věra alena petra jaroslava šárka růžena milena ludmila
zoltán lászló istván józsef jános tamás ferenc attila gábor sándor ádám krisztián péter györgy mihály andrás imre ferko ubul mária
erzsébet katalin ilona éva anna zsuzsanna margit judit ágnes júlia andrea szabina anikó berta janka szilvia
ivan sergei sergey dmitry dmitri alexei aleksei mikhail nikolai vladimir andrei aleksandr alexandr igor yuri boris oleg viktor
anatoly pavel roman stanislav konstantin grigory bulat rustam olga irina svetlana natalia natalya tatiana elena anastasia ekaterina
yulia galina lyudmila ksenia daria polina faina sieda milana layla ushurma
lars erik anders johan karl per nils jan olof mikael hans bengt göran magnus gustav oskar axel emil mats björn håkan torbjörn kjell
ole knut olav bjørn rolf tor svein geir arne terje øystein mathias anna eva maria karin kristina birgitta ingrid margareta
elisabeth åsa malin linnéa elin emelie emilie hanne anne inger kari marit liv berit astrid solveig mette kirsten bente lene pia
jørgen søren niels jens henrik kasper rasmus victoria saga freja
juhani johannes mikael matti timo kari antti jari mikko jukka pekka heikki eino einojuhani tuomas ville sami janne maria helena
johanna anneli kaarina liisa anna kaija siiri aino pirjo päivi sari tuula raija
vilhjálmur vilhjalmur jón sigurður guðmundur gunnar ólafur einar guðrún sigríður kristín margrét helga
minik malik aqqaluk kristián uta zonka donka milenka
marko nikola ivana jelena milica dragana zoran goran dragan miloš ivo luka ante josip jure rubija vedran tihomir
ahmed mohammed muhammad mohamed ali hassan hussein omar ibrahim khalid abdul abdullah yusuf mustafa mehmet fatma fatima aisha khadija
zainab layla leila noor yasmin samira rania dina hana salma tariq karim nadia samir bilal hamza
raj rahul amit sanjay vijay anil sunil rajesh suresh ravi ashok deepak manoj arjun rohan vikram priya anjali pooja neha sunita kavita
anita deepa lakshmi meera sita divya aarav vivaan ananya
wei ming jun li wang hiroshi takashi kenji akira satoshi yuki haruto ren sakura yoko keiko tomomi toshimi shintarou chise naoko
michiko kazuo minato minjun jiwoo seoyeon hyun
kwame kofi abena ama chinedu ngozi oluwaseun amara thabo sipho lerato
aoife siobhan niamh ciara saoirse eoin cillian declan padraig seamus fionn
ewan callum hamish fiona morag isla catriona alistair angus
theo archie alfie freddie poppy elsie florence ivy evie imogen jemima nigel clive trevor graham geoffrey rupert
hideo ichiro taro hanako dimitris giorgos yannis nikos maria eleni katerina kostas panagiotis vasilis
silvana cinzia catello ornella donatella ilaria simone jolanda sieuwerd maarten joost pieter jeroen willem kees hendrik sanne femke
anouk landerico toshiro kristijan blanka zsófia matteo leevi orva minea milla
)";

// Ordinary words, too: they need a second sign.
constexpr std::string_view kAmbiguousNames = R"(
will mark may april june grace hope faith joy rose dawn crystal angel chance art bill bob drew frank gene grant jack jean rich rob
sue victor wade lance dale dean don guy heath hunter mason max miles parker paris pat penny ruby sky summer violet ivy daisy hazel
pearl amber jordan georgia virginia carolina charlotte austin dallas houston madison savannah florence israel china france chad
christian king prince earl duke joy misty sandy stormy iris lily melody star van ray lee ross clay cliff forest glen rusty buddy
buck sonny ace bishop royal major noble page porter carter price law chase cash colt blaze ford holly robin ginger candy cherry
olive willow brook brooke river reed rocky roman art jay kay bay casey terry angel jesus august ren li ming jun wang ama liv saga
per jan sven ante ali alma noor tor ole finn sam alex logan tyler dakota kim don pia lena simone legal leone luc
)";

constexpr std::string_view kSurnames = R"(
smith johnson williams brown jones garcia miller davis rodriguez martinez hernandez lopez gonzalez wilson anderson thomas taylor moore
jackson martin lee perez thompson white harris sanchez clark ramirez lewis robinson walker young allen king wright scott torres nguyen
hill flores green adams nelson baker hall rivera campbell mitchell carter roberts gomez phillips evans turner diaz parker cruz edwards
collins reyes stewart morris morales murphy cook rogers gutierrez ortiz morgan cooper peterson bailey reed kelly howard ramos kim cox
ward richardson watson brooks chavez wood james bennett gray mendoza ruiz hughes price alvarez castillo sanders patel myers long ross
foster jimenez powell jenkins perry russell sullivan bell coleman butler henderson barnes fisher vasquez simmons romero jordan patterson
alexander hamilton graham reynolds griffin wallace moreno west cole hayes bryant herrera gibson ellis tran medina aguilar stevens murray
ford castro marshall owens harrison fernandez mcdonald woods washington kennedy wells vargas henry chen freeman webb tucker guzman burns
crawford olson simpson porter hunter gordon mendez silva shaw snyder mason dixon munoz hunt hicks holmes palmer wagner black robertson
boyd rose stone salazar fox warren mills meyer rice schmidt garza daniels ferguson nichols stephens soto weaver ryan gardner payne grant
dunn kelley spencer hawkins arnold pierce hansen peters santos hart bradley knight elliott cunningham duncan armstrong hudson carroll
lane riley andrews alvarado ray delgado berry perkins hoffman johnston matthews pena richards contreras willis carpenter lawrence
sandoval guerrero george chapman rios estrada ortega watkins greene nunez wheeler valdez harper burke larson santiago maldonado morrison
franklin carlson austin dominguez carr lawson jacobs obrien lynch singh vega bishop montgomery oliver jensen harvey williamson gilbert
dean sims espinoza howell li wong reid hanson le mccoy garrett burton fuller wang weber welch rojas lucas marquez fields park yang little
banks padilla day walsh bowman schultz luna fowler mejia neal leiva hodge becker müller schneider fischer meier schulz keller richter
wolf neumann schwarz zimmermann braun krüger hofmann hartmann lange werner krause lehmann köhler maier baader steffensen jürgens
dubois durand leroy moreau simon laurent lefebvre michel garnier rousseau fournier girard bonnet mercier blanc bizier beauchamp
rossi russo ferrari esposito bianchi romano colombo ricci marino greco bruno gallo conti mancini costa giordano rizzo lombardi fanucci
barbieri moretti fontana santoro mariani rinaldi caruso ferrara galli martini leone longo gentile martinelli vitale mazzi fiorentino
ferreira pereira oliveira costa rodrigues martins sousa fernandes goncalves gomes lopes marques alves almeida ribeiro pinto carvalho
teixeira moreira correia mendes nunes soares vieira monteiro cardoso rocha barros souza lima barbosa araujo cavalcanti azevedo
nowak kowalski wiśniewski wójcik kowalczyk kamiński lewandowski zieliński szymański woźniak kaczmarek adamska wierzbicki
novák svoboda novotný dvořák černý procházka kučera veselý krejčí horák němec marek pospíšil hájek jelínek zonka
nagy kovács tóth szabó horváth varga kiss molnár németh farkas balogh papp takács juhász szöllösy szöllössy gelencsér szász kónya király
ivanov petrov sidorov smirnov kuznetsov popov volkov sokolov yefremova batukayev dratchev pavlov fedorov morozov gairbekov
johansson andersson karlsson nilsson eriksson larsson olsson persson svensson gustafsson pettersson jonsson jansson hansson bengtsson
hedlund henriksson magnusson lindberg lindström lindqvist bergström lundberg björklund sjöberg ekström nyström holm nordin ruud bruun
hansen olsen larsen andersen pedersen nilsen kristiansen jensen karlsen johnsen pettersen nielsen christensen rasmussen sørensen
jørgensen madsen kristensen laursen christiansen jeremiassen kreutzmann broberg varvio pyysalo laine korhonen virtanen mäkinen nieminen
tanaka suzuki sato takahashi watanabe ito yamamoto nakamura kobayashi kato yoshida yamada sasaki iwase nishiyama hamaguchi horiguchi arata
kim park choi jung kang cho yoon jang lim zhang liu chen huang zhao wu zhou xu sun zhu
khan ahmed hussain sharma gupta kumar verma reddy iyer mehta joshi nair desai chatterjee banerjee mukherjee
jansen bakker visser smit meijer mulder dekker vermeulen hertzog dijkstra heuver
o'connor o'brien o'neill o'sullivan mcconnan mcdowell macdonald mackenzie mackay mccullough mccarthy nolan dawson laursen pratt beet
montero cazares rangel margarot pavlović jovanović petrović nikolić marković đorđević stojanović
)";

constexpr std::string_view kPlaces = R"(
afghanistan albania algeria andorra angola argentina armenia australia austria azerbaijan bahamas bahrain bangladesh barbados belarus
belgium belize benin bhutan bolivia botswana brazil brunei bulgaria burundi cambodia cameroon canada chad chile china colombia comoros
congo croatia cuba cyprus czechia denmark djibouti dominica ecuador egypt eritrea estonia ethiopia fiji finland france gabon gambia
germany ghana greece greenland grenada guatemala guinea guyana haiti honduras hungary iceland india indonesia iran iraq ireland israel
italy jamaica japan jordan kazakhstan kenya kiribati kosovo kuwait kyrgyzstan laos latvia lebanon lesotho liberia libya liechtenstein
lithuania luxembourg madagascar malawi malaysia maldives mali malta mauritania mauritius mexico micronesia moldova monaco mongolia
montenegro morocco mozambique myanmar namibia nauru nepal netherlands nicaragua niger nigeria norway oman pakistan palau palestine
panama paraguay peru philippines poland portugal qatar romania russia rwanda samoa senegal serbia seychelles singapore slovakia
slovenia somalia spain sudan suriname sweden switzerland syria taiwan tajikistan tanzania thailand togo tonga tunisia turkey
turkmenistan tuvalu uganda ukraine uruguay uzbekistan vanuatu venezuela vietnam yemen zambia zimbabwe usa uk scotland wales england
alabama alaska arizona arkansas california colorado connecticut delaware florida hawaii idaho illinois indiana iowa kansas kentucky
louisiana maine maryland massachusetts michigan minnesota mississippi missouri montana nebraska nevada ohio oklahoma oregon
pennsylvania tennessee texas utah vermont wisconsin wyoming ontario quebec alberta manitoba saskatchewan queensland tasmania bavaria
saxony hesse catalonia andalusia lombardy tuscany sicily sardinia normandy brittany provence
london paris berlin madrid rome vienna lisbon dublin brussels amsterdam copenhagen stockholm oslo helsinki reykjavik warsaw prague
budapest bucharest sofia athens istanbul ankara moscow kyiv kiev minsk riga vilnius tallinn zagreb belgrade ljubljana sarajevo skopje
tirana bratislava bern zurich geneva basel lausanne munich hamburg cologne köln münchen frankfurt stuttgart düsseldorf dortmund leipzig
dresden hannover nuremberg bremen kiel marseille lyon toulouse nice nantes strasbourg bordeaux lille milan naples turin florence
venice bologna genoa palermo barcelona valencia seville sevilla málaga bilbao zaragoza porto manchester birmingham liverpool leeds
glasgow edinburgh bristol cardiff belfast oxford cambridge nottingham sheffield antwerp ghent bruges rotterdam utrecht eindhoven hague
gothenburg malmö uppsala aarhus aalborg odense bergen trondheim stavanger espoo tampere turku oulu krakow kraków łódź wrocław poznań
gdańsk brno ostrava debrecen szeged maribor chicago houston phoenix philadelphia dallas austin seattle denver boston detroit memphis
portland baltimore milwaukee albuquerque tucson fresno sacramento atlanta omaha miami oakland minneapolis tulsa tampa cleveland
honolulu pittsburgh cincinnati orlando buffalo toronto montreal vancouver calgary ottawa edmonton winnipeg halifax sydney melbourne
brisbane perth adelaide canberra auckland wellington christchurch tokyo osaka kyoto yokohama nagoya seoul busan beijing shanghai
shenzhen guangzhou hangzhou chengdu taipei bangkok jakarta manila hanoi mumbai delhi bangalore bengaluru kolkata chennai hyderabad
pune karachi lahore islamabad dhaka kathmandu colombo kabul tehran baghdad dubai doha riyadh jeddah beirut damascus amman jerusalem
cairo alexandria casablanca tunis algiers lagos accra nairobi johannesburg pretoria durban harare luanda dakar bogotá lima quito caracas
santiago montevideo brasília fortaleza recife salvador curitiba havana kingston antarctica nicosia limassol
europe asia africa america scandinavia
lappeenranta seinäjoki katrineholm kokkola horten harstad sandefjord tromsø porvoo joinville castanhal keflavíkurflugvöllur akureyri
nuuk sisimiut messina dordrecht zoetermeer charleroi altoona kenosha
)";

constexpr std::string_view kLongPlaces = R"(
new_york new_york_city new_jersey new_mexico new_hampshire new_zealand new_orleans new_delhi north_carolina south_carolina north_dakota
south_dakota west_virginia rhode_island united_states united_kingdom united_arab_emirates south_africa south_korea north_korea
saudi_arabia sri_lanka costa_rica puerto_rico el_salvador el_paso san_francisco san_diego san_jose san_antonio los_angeles las_vegas
fort_worth kansas_city salt_lake_city st_louis st_petersburg saint_petersburg hong_kong ho_chi_minh_city kuala_lumpur tel_aviv
cape_town buenos_aires rio_de_janeiro são_paulo sao_paulo porto_alegre belo_horizonte mexico_city guatemala_city panama_city
czech_republic dominican_republic ivory_coast sierra_leone burkina_faso papua_new_guinea trinidad_and_tobago bosnia_and_herzegovina
north_macedonia british_columbia nova_scotia new_brunswick washington_dc den_haag san_bernardino new_westminster
northern_ireland new_south_wales
)";

constexpr std::string_view kNationalities = R"(
afghan albanian algerian american argentine argentinian armenian australian austrian azerbaijani bangladeshi belarusian belgian belizean
bolivian bosnian brazilian british bulgarian burmese cambodian canadian chechen chilean chinese colombian croatian cuban cypriot czech
danish dutch ecuadorean ecuadorian egyptian english estonian ethiopian filipino finnish french georgian german ghanaian greek greenlander
guatemalan haitian honduran hungarian icelandic indian indonesian iranian iraqi irish israeli italian jamaican japanese jordanian kazakh
kenyan korean kuwaiti latvian lebanese libyan lithuanian malaysian maltese mexican moldovan mongolian moroccan nepalese nicaraguan
nigerian norwegian pakistani palestinian panamanian paraguayan peruvian polish portuguese romanian russian rwandan saudi scottish
senegalese serbian singaporean slovak slovenian somali spanish sudanese swedish swiss syrian taiwanese tanzanian thai tunisian turkish
ugandan ukrainian uruguayan venezuelan vietnamese welsh yemeni zambian zimbabwean
americans australians belgians brazilians canadians croatians cubans danes egyptians estonians finns germans greeks hungarians indians
iranians iraqis italians kenyans koreans latvians mexicans nigerians norwegians pakistanis peruvians poles romanians russians saudis
serbs slovenians spaniards swedes syrians turks ukrainians ecuadoreans
catholic protestant muslim jewish buddhist hindu sikh christians muslims jews hindus sikhs shiite sunni
democrat republican democrats republicans
)";

// Words that begin sentences, headings, products: when one of these stands first it is left out of a name.
constexpr std::string_view kCommonWords = R"(
a an the i you he she it we they my your his her its our their this that these those who whom whose which what when where why how
is are was were be been am do does did have has had can could will would shall should may might must not no yes and or but if so as at
by for from in into of off on onto out over to up with about after before between during through under until while since because
though although than then there here also just only even still yet too very more most many much some any all each every both few
please thank thanks hello hi hey dear sincerely regards best kind welcome sorry ok okay well now today tomorrow yesterday
let make take get give go come see look find tell ask say said says call called send sent need want know think use show write read
create add update delete change check keep put set run start stop open close move help try buy pay sell learn explain describe list
summarize translate analyze provide generate consider note name names address phone email e-mail date website personal info information
mr mrs ms dr prof sir madam miss mission statement bot user assistant system billing mobile desk fax office from subject re
new old first last next one two three four five six seven eight nine ten other another same such good great big small
company inc ltd corp corporation group bank university school hospital museum church club orchestra government force border office
street road avenue lane drive court place square suite apt apartment unit box po postal zip code country city state county
title civil rights act article treaty union european national international federal
energetic driven zoolander celebrating looking would unlike written capitalized words wisdom discipline action adventure animation comedy
kids family directed producer princess royal labor day pedestrians patient follow bus
april may june monday tuesday wednesday thursday friday saturday sunday
never ever always once maybe perhaps however therefore moreover meanwhile instead otherwise besides
python java javascript google microsoft apple amazon windows linux internet web api sql html json excel word
true false null none ok error warning info debug select insert where table
part chapter section figure step example question answer task project team product service customer order account card
god lord king queen prince president minister
entertainment weekly guilty pleasures
)";

void add_all(WordTable& t) {
  t.add_all(kGivenNames, kGiven);
  t.add_all(kAmbiguousNames, kAmbiguous);
  t.add_all(kSurnames, kSurname);
  t.add_all(kPlaces, kPlace);
  t.add_all(kNationalities, kNationality);
  t.add_all(kCommonWords, kCommon);
  t.add_all("mr mrs ms dr prof professor miss sir madam mx herr frau monsieur madame mademoiselle señor señora signor signora sr sra", kTitle);
  t.add_all("january february march april may june july august september october november december jan feb mar apr jun jul aug sep sept "
            "oct nov dec", kMonth);
  t.add_all("monday tuesday wednesday thursday friday saturday sunday mondays tuesdays wednesdays thursdays fridays saturdays sundays",
            kWeekday);
  t.add_all("street st avenue ave road rd lane ln drive dr boulevard blvd court ct place pl square sq terrace way highway hwy crescent "
            "close parkway pkwy circle trail alley straße strasse str weg platz allee gasse laan straat plein rue via viale piazza "
            "calle avenida rua ulica ul gatan vägen vej gade gate katu tie utca út tér", kStreet);
  t.add_all("inc ltd llc corp corporation gmbh ag plc co group bank university institute orchestra foundation association holdings "
            "technologies solutions systems services partners capital", kCompanyEnd);
  t.add_all("named called name dear hi hello hey mister surname contact patient employee colleague guardian signed met ask tell "
            "attn sincerely regards cc maiden starring daughter son wife husband brother sister mother father "
              "says said kid commenter", kNamesPerson);
  t.add_all("i'm under me is am was", kIntroduces);
  t.add_all("says said lives lived shouted told asked replied answered wrote began spent listed thinks believes loves", kPersonDoes);
  t.add_all("in from to near at visited visiting toward towards", kNamesPlace);
  for (const std::string_view place : {"new", "north", "south", "west", "rhode", "united", "saudi", "sri", "costa", "puerto", "el",
                                       "san", "los", "las", "fort", "kansas", "salt", "st", "saint", "hong", "ho", "kuala", "tel",
                                       "cape", "buenos", "rio", "são", "sao", "porto", "belo", "mexico", "guatemala", "panama", "czech",
                                       "dominican", "ivory", "sierra", "burkina", "papua", "trinidad", "bosnia", "british", "nova",
                                       "washington", "den", "northern"}) {
    t.add(place, kPlaceStart);
  }
}

}  // namespace

const WordTable& gazetteer() {
  static const WordTable* const kTable = [] {
    auto* t = new WordTable;
    add_all(*t);
    return t;
  }();
  return *kTable;
}

const WordTable& long_places() {
  static const WordTable* const kTable = [] {
    auto* t = new WordTable;
    t->add_all(kLongPlaces, kPlace);
    return t;
  }();
  return *kTable;
}

}  // namespace ajar::guard
