#pragma once
// Own list, in phrases (phrases.h). Slurs are needed to find slurs. Words that are mostly harmless ("kill a process") only count with
// whom they are about.

#include <string_view>

#include "guard/moderation.h"

namespace ajar::guard {

struct ModerationPattern {
  Category category;
  float weight;
  std::string_view phrase;
};

inline constexpr ModerationPattern kModerationPatterns[] = {
    // violence and threats
    {Category::kViolence, 0.6f, "kill+|murder+|stab+|shoot+|strangle+|behead+|slaughter+|assassinate+|massacre+|poison+|torture+|maim+|mutilate+ ~2 someone|people|person|him|her|them|man|woman|wife|husband|girlfriend|boyfriend|neighbor|neighbour|boss|coworker|children|kids|family|grandmother|police|cop|pedestrians|civilians|students|victims|politician|president"},
    {Category::kViolence, 0.5f, "grabbed|pulled|picked|raised|with ~1 a ~1 knife|gun|axe|machete|hammer ~3 and|at ~4 stab+|shot|shoot+|attack+|kill+|throat"},
    {Category::kViolence, 0.6f, "beat|beating|beaten|burn+|choke+|bludgeon+ ~3 to death|alive|unconscious"},
    {Category::kViolence, 0.5f, "mass shooting|murder|casualties"}, {Category::kViolence, 0.5f, "school shooting|shooter ~5 plan|carry|commit|become"},
    {Category::kViolence, 0.5f, "ram+|drive|drove ~4 into ~2 pedestrians|crowd|people"},
    {Category::kHarassmentThreatening, 0.8f, "i|we|i'll|we'll|i'm ~2 will|gonna|going|to|'ll|i'll ~2 kill|murder|shoot|stab|strangle|burn|hurt|destroy|beat ~1 you|your"},
    {Category::kHarassmentThreatening, 0.8f, "i'll|we'll kill|murder|shoot|stab|strangle|hurt|beat|find you"},
    {Category::kHarassmentThreatening, 0.6f, "you ~2 deserve|should|will|gonna ~2 die|be killed|shot|dead"},
    {Category::kHarassmentThreatening, 0.6f, "kill|killing ~1 you|yourself"}, {Category::kHarassmentThreatening, 0.5f, "threatening|threat ~2 letter|message|note ~4 ex|boss|neighbor|neighbour|coworker|teacher|journalist"},
    {Category::kViolenceGraphic, 0.6f, "blood|guts|brains|intestines|entrails ~3 splattered|gushing|gushed|spilling|spilled|poured|everywhere|sprayed"},
    {Category::kViolenceGraphic, 0.6f, "decapitat+|disembowel+|dismember+|disemboweled|dismembered|decapitated|eviscerated|gutted ~3 him|her|body|corpse|them|head"},
    {Category::kViolenceGraphic, 0.5f, "severed|ripped|tore|cut|sliced ~2 off|out|open ~2 head|limbs|arm|leg|heart|throat|eyes|flesh|guts"},
    {Category::kViolence, 0.6f, "break|breaking|smash|smashing|crush|crushing|hammer|hammering|slit|crack|snap ~3 someone's|someones|his|her|their|person's|child's|man's|woman's|wife's|boss's ~1 skull|face|legs|leg|head|neck|sternum|throat|bones|arm|arms|spine|ribs"},
    {Category::kViolence, 0.6f, "beat|beating|rough up ~1 my|someone|him|her|them|spouse|wife|girlfriend"},
    {Category::kViolence, 0.6f, "how|ways|way|plan|process|can|steps|want|place ~5 attack|attacking|throttle|throttling|strangle|snipe|sniping|execute|executing|liquidate|liquidating|obliterate|butcher|butchering|punch|stab|shoot|shooting|tackle|slaughter|drown|hurt|harm ~3 someone|people|human|humans|woman|women|man|politician|politicians|immigrants|city|crowd|spouse|wife|husband|toddler|child|neighbor|boss|police"},
    {Category::kViolence, 0.6f, "set|setting|light|lighting ~2 hospital|school|house|building|someone|church|mosque|people|office|person|homeless ~1 on fire"},
    {Category::kIllicitViolent, 0.6f, "blow|blowing up ~2 hospital|school|building|bridge|plane|airport|car|house|church|mosque|train|base|bank"},
    {Category::kIllicitViolent, 0.6f, "commit|committing|plan|planning ~2 murder|arson|genocide|homicide|assault|terrorism|massacre|rape|kidnapping|assassination"},
    // What is told of rather than wished for.
    {Category::kViolence, 0, "game|games|gaming|movie|movies|film|films|novel|book|show|stage|play|character|character's|characters|fiction|fictional|actor|video-game|gta|minecraft|witcher|skyrim|casino|baseball|basketball|soccer|chess"},
    {Category::kViolence, 0, "call of duty"}, {Category::kViolence, 0, "world|civil|vietnam|korean|cold war"},
    {Category::kViolence, 0, "someone's|my|your|her|his|the heart|test|exam|fish|chicken|recipe|cooking"}, {Category::kViolence, 0, "fish|chicken|lobster|turkey|heart"},
    {Category::kViolence, 0, "why|when|how|where|who did ~6 kill|murder|shoot|attack|rob|massacre|assassinate|break"},
    // harassment
    {Category::kHarassment, 0.6f, "harass+|insult+|mock+|bully+|humiliate+|degrade+|threaten+|demean+|threatening|shame+ ~2 someone|person|people|colleague|coworker|classmate|woman|student|him|them"},
    {Category::kHarassment, 0.5f, "sexist|racist|homophobic|transphobic|misogynistic|antisemitic|xenophobic ~1 email|joke|jokes|message|speech|post|rant|tweet|letter|story|limerick|poem"},
    {Category::kHarassment, 0.7f, "you|you're|ur|you'r|u|youre ~2 a|an|such|fucking|fuckin ~2 idiot|moron|loser|bitch|whore|cunt|asshole|retard|pig|scum|piece|slut|bastard|dumbass|fool|clown|disgrace|imbecile|dipshit|pathetic|worthless|disgusting|stupid"},
    {Category::kHarassment, 0.7f, "fuck|screw you|off|u|him|her|them|yourself"}, {Category::kHarassment, 0.7f, "shut ~2 fuck|hell up"},
    {Category::kHarassment, 0.6f, "stupid|dumb|worthless|pathetic|filthy|ugly|fat|lying|disgusting|useless|fucking|crazy|goddamn ~1 bitch|whore|idiot|cunt|asshole|moron|bastard|slut|pig|cow|loser|prick|retard|scumbag|hag"},
    {Category::kHarassment, 0.5f, "asshole|dickhead|cunt|motherfucker|shithead|dumbass|cocksucker|fuckface|scumbag|douchebag|twat|fuckwit|shitbag|dipshit|wanker"},
    {Category::kHarassment, 0.5f, "piece|sack|bag of shit|crap|garbage"}, {Category::kHarassment, 0.5f, "nobody|everyone|everybody ~1 likes|loves|hates you"},
    {Category::kHarassment, 0.6f, "humiliate|bully|bullying|blackmail|doxx|dox|stalk|stalking ~3 her|him|classmate|coworker|someone|person|ex|girl|boy|student|teacher|colleague|celebrity"},
    // hate
    {Category::kHate, 0.85f, "nigger|niggers|nigga|niggas|faggot|faggots|kike|kikes|spic|spics|chink|chinks|gook|gooks|wetback|wetbacks|raghead|ragheads|towelhead|tranny|trannies|dyke|dykes|coon|coons|paki|pakis|beaner|beaners|jigaboo|darkie|shemale|sandnigger|untermensch"},
    {Category::kHate, 0.7f, "jews|muslims|blacks|gays|lesbians|homosexuals|women|immigrants|refugees|mexicans|arabs|asians|christians|hindus|transgenders|trans|gypsies|foreigners|whites|africans|disabled ~1 are|r ~4 inferior|vermin|animals|subhuman|parasites|disease|scum|filth|evil|disgusting|rats|cockroaches|criminals|terrorists|mistake|abomination|trash|stupid|worthless|rapists|savages|perverts|sick|cancer|lazy|dirty"},
    {Category::kHate, 0.7f, "hate|hates|despise|loathe ~2 jews|muslims|blacks|gays|homosexuals|women|immigrants|refugees|mexicans|arabs|gypsies|trannies|foreigners"},
    {Category::kHate, 0.6f, "white|aryan|racial supremacy|supremacist|purity|genocide"}, {Category::kHate, 0.6f, "heil hitler"},
    {Category::kHate, 0.5f, "women|blacks|jews|gays|muslims|immigrants|refugees|disabled ~3 inferior|subhuman|deserve|belong|shouldn't ~3 to|kitchen|camps|rights|vote|exist|die"},
    {Category::kHateThreatening, 0.85f, "kill|gas|exterminate|deport|eradicate|burn|shoot|hang|lynch|eliminate ~3 all ~2 jews|muslims|blacks|gays|homosexuals|women|immigrants|refugees|mexicans|arabs|gypsies|christians|foreigners|whites|asians"},
    {Category::kHateThreatening, 0.7f, "jews|muslims|blacks|gays|homosexuals|immigrants|refugees ~3 should|must|deserve|need ~3 die|killed|shot|gassed|exterminated|burned|eliminated|hanged|lynched"},
    {Category::kHate, 0.6f, "women|jews|gays|muslims|immigrants|refugees|hindus|christians|roma|blacks|asexual|trans|gay|black|disabled|elderly|divorced|jewish|muslim|transgender|pregnant ~2 should|must|shouldn't ~4 not|never|barred|banned|excluded|denied|kicked|deported|sterilized|discriminated|segregated"},
    {Category::kHate, 0.6f, "should ~4 women|jews|gays|muslims|immigrants|refugees|hindus|christians|roma|blacks|people ~2 not|never|be ~1 allowed|barred|banned|excluded|denied|kicked|deported|sterilized|discriminated|segregated|permitted"},
    {Category::kHate, 0.6f, "genocide|holocaust|slavery|slave|apartheid|segregation|cleansing ~7 good|justified|hoax|positive|right|necessary|happened|exaggerated|benefit|benefits|deserved"},
    {Category::kHate, 0.6f, "women|blacks|jews|gays|muslims|africans|immigrants ~4 inherently|naturally|genetically ~2 less|inferior|more|stupid|lazy|violent"},
    {Category::kHateThreatening, 0.7f, "eradicate|exterminate|eliminate|gas|wipe|cleanse ~3 people|gay|gays|black|blacks|jews|jewish|muslim|muslims|immigrants|roma|refugees|homosexuals"},
    // illicit
    {Category::kIllicit, 0.6f, "break|breaking into ~3 house|bank|vault|car|home|safe|account|store|apartment|phone|building|network|system"},
    {Category::kIllicit, 0.6f, "how|ways|way|strategy|instructions|plan|steps|guide|best|tips ~5 steal|stealing|rob|robbing|shoplift|shoplifting|blackmail|blackmailing|extort|launder|counterfeit|forge|hack|hacking|smuggle"},
    {Category::kIllicit, 0.6f, "where|how|can ~3 buy|get|obtain|score|find|order ~3 meth|cocaine|heroin|ecstasy|lsd|fentanyl|mdma|crack|ketamine"},
    {Category::kIllicit, 0.6f, "commit|committing ~2 fraud|robbery|burglary|theft|perjury|forgery|embezzlement|blackmail|crime|crimes"},
    {Category::kIllicit, 0.6f, "romance|phishing|advance-fee|lottery|tech-support|crypto scam|email|message ~4 script|write|victims|template|create"},
    {Category::kIllicitViolent, 0.7f, "make|build|create|construct|assemble|synthesize|making|building|manufacture|making|develop|acquire|give|instructions|how ~6 bomb|bombs|explosive|explosives|ied|grenade|molotov|nerve|sarin|ricin|anthrax|silencer|suppressor|pipebomb|tatp|dimethylmercury|chlorine|mustard|ghost|bioweapon|thermite|napalm"},
    {Category::kIllicitViolent, 0.7f, "biological|chemical|nuclear warfare|weapon|weapons ~4 agents|easy|home|make|synthesize|obtain|steal|build|list"},
    {Category::kIllicitViolent, 0.6f, "evade|evading|avoid|without|escape ~3 detection|caught|police|detected ~6 murder|weapon|bomb|body|attack|gun|kill|explosive"},
    {Category::kIllicitViolent, 0.6f, "hire|hiring|find ~3 hitman|assassin|killer"}, {Category::kIllicitViolent, 0.6f, "kidnap|kidnapping|abduct|human trafficking|smuggle|smuggling|traffic|trafficking ~4 people|child|girls|women|person|someone|humans"},
    {Category::kIllicitViolent, 0.6f, "purchase|buy|obtain|get|3d ~3 handgun|gun|firearm|rifle|weapon|ar-15 ~6 minor|illegally|background|license|untraceable|without|serial"},
    {Category::kIllicitViolent, 0.5f, "attack|bomb|sabotage|blow|derail|destroy|poison ~4 power|grid|train|airport|mosque|church|synagogue|school|subway|airplane|stadium|water|infrastructure|pipeline|crowd"},
    {Category::kIllicit, 0.6f, "make|making|cook|cooking|synthesize|produce|producing|manufacture|grow|steal|creating|create|give|extract ~7 meth|methamphetamine|cocaine|heroin|fentanyl|mdma|lsd|ecstasy|crack|ghb|dmt|pcp|xanax|ketamine"},
    {Category::kIllicit, 0.6f, "steal|stealing|clone|cloning|fake|forge|forging|counterfeit|hack|hacking|skim|launder|laundering|phish|phishing|crack|embezzle|evade|evading|falsify|bypass|hotwire|pick|shoplift|smuggle|smuggling|scam|defraud ~6 identity|credit|card|bank|money|passport|account|password|passwords|tax|taxes|prescription|id|ids|car|emails|documents|certificate|employees|elderly|currency|bills|store|customs|bulk|lock|records|wifi|fbi|computer|school"},
    {Category::kIllicit, 0.6f, "ponzi|pyramid scheme ~8 create|start|run|convincing|set|successful|pitch"}, {Category::kIllicit, 0.5f, "run|start|create|start|set ~4 ponzi|pyramid scheme"},
    {Category::kIllicit, 0.6f, "write|create|develop|code|build|make|give|python ~6 malware|ransomware|keylogger|virus|trojan|rootkit|botnet|spyware|worm|exploit|phishing|ddos|backdoor"},
    {Category::kIllicit, 0.5f, "without ~3 getting|being caught|detected|arrested|noticed"}, {Category::kIllicit, 0.5f, "insider trading|money laundering|tax evasion|identity theft|credit card fraud|insurance fraud ~6 how|commit|guide|steps|without|avoid|get"},
    {Category::kIllicit, 0.5f, "how|guide|instructions|steps|tutorial|ways ~8 illegally|illegal"}, {Category::kIllicit, 0.5f, "date rape|roofies|drug|spike ~4 drink|drinks|someone"},
    {Category::kIllicit, 0.5f, "manipulate|convince|convincing|persuade|groom|coerce ~5 someone|people|them|her|him|elderly|teenager|minor ~6 suicide|money|drugs|cult|sex|bank|unsafe|illegal"},
    // self-harm
    {Category::kSelfHarmIntent, 0.8f, "i ~4 want|going|plan|planning|wish|gonna|ready|need|about|decided ~2 to ~1 die|kill myself|end ~1 life|it|hurt|cut|disappear"},
    {Category::kSelfHarmIntent, 0.8f, "kill|killing|cut|cutting|hurt|hurting|harm|harming|hang|starve|starving|shoot|drown|burn|burning myself"},
    {Category::kSelfHarmIntent, 0.8f, "end|ending|take|taking my ~1 life"}, {Category::kSelfHarmIntent, 0.7f, "i'm|am|feel|feeling ~2 suicidal"},
    {Category::kSelfHarm, 0.6f, "kill|hang|starve|cut|harm|hurt yourself|themselves|himself|herself|oneself ~6 how|to|best|should|way|ways|because|blog"},
    {Category::kSelfHarm, 0.5f, "suicide|self-harm|anorexia|bulimia|anorexic|thinspo|pro-ana ~8 method|methods|promote|promoting|encourage|encouraging|tips|convince|glorify|blog|note|best|ways|beautiful|justify|commit"},
    {Category::kSelfHarm, 0.5f, "encourage|convince|persuade|promote|encouraging|promoting ~6 suicide|anorexia|self-harm|bulimia|cutting|starve"},
    {Category::kSelfHarmInstructions, 0.7f, "how|ways|way|method|methods|best|painless|quickest|easiest|instructions|guide|steps|drugs|pills ~6 kill|killing|hang|hanging|harm|cut|overdose|commit|starve|suffocate ~2 myself|yourself|themselves|oneself|suicide|overdose|wrists"},
    {Category::kSelfHarmInstructions, 0.6f, "lethal|fatal|deadly dose|dosage|overdose ~6 of|for|pills"}, {Category::kSelfHarmInstructions, 0.6f, "how ~6 hide|conceal ~4 cuts|scars|anorexia|self-harm|purging|bulimia"},
    // sexual
    {Category::kSexual, 0.6f, "fuck+|fucked|ride|riding|suck+|lick+|eat|stroke+|rub+|finger+|pound+|thrust+ ~3 her|his|my|your|me|him ~3 pussy|cock|dick|clit|ass|tits|hole|hard|penis|vagina|balls|nipples|shaft|cunt"},
    {Category::kSexual, 0.6f, "blowjob|handjob|cumshot|gangbang|deepthroat|rimjob|creampie|bukkake|threesome|orgy|masturbate|masturbating|masturbation|jerking off|cunnilingus|fellatio|dildo|orgasm|orgasms|hardcore|milf|hentai|pornhub|xxx|camgirl|titties|pussy|bondage|upskirt|bdsm ~6 sex|porn|hot|her|his|my|me|cock|naked|wet|video|videos|pics"},
    {Category::kSexual, 0.6f, "blowjob|handjob|cumshot|gangbang|deepthroat|rimjob|creampie|bukkake|cunnilingus|fellatio|horny|porno|pornhub|boner|erotica|titfuck|assfuck"},
    {Category::kSexual, 0.5f, "her|his|my|your|hard|throbbing|erect|wet|tight|naked|bare|swollen ~1 cock|dick|pussy|penis|clit|tits|nipples|breasts|vagina|crotch|panties|ass"},
    {Category::kSexual, 0.5f, "erotic|explicit|sexual|pornographic|steamy|smutty ~2 story|scene|fiction|roleplay|content|fantasy|tale|encounter|description|video|novel"},
    {Category::kSexual, 0.5f, "have|having|had|want|wants|wanted ~2 sex|intercourse ~3 with|me|you|her|him"}, {Category::kSexual, 0.5f, "porn|pornography ~4 watch|watching|video|videos|site|sites|free|star|stars|gay|teen|write"},
    {Category::kSexual, 0.5f, "moan+|moaned|moaning|climax|cum|cumming|orgasm|aroused|arousal ~8 inside|thrust|her|his|breasts|naked|cock|thighs|pleasure|bed"},
    {Category::kSexualMinors, 0.9f, "child|children|minor|minors|underage|kid|kids|preteen|toddler|teen|teenage|teenager|schoolgirl|loli|lolita|shota|year-old|boy|girl|prepubescent ~3 porn|pornography|nude|nudes|naked|sex|sexual|sexually|erotic|erotica|sexy|sexualized|hentai|molest|rape|orgasm"},
    {Category::kSexualMinors, 0.9f, "sex|sexual|sexually|nude|naked|rape|raping|molest|molesting|seduce|groom|grooming|porn ~4 child|children|minor|minors|underage|kids|preteen|toddler|schoolgirl|loli|prepubescent"},
    {Category::kSexualMinors, 0.7f, "pedophile|pedophilia|paedophile|paedophilia|lolicon|shotacon|cp ~8 good|okay|porn|content|images|normal|love|justify|should|acceptable|access"},
};

}  // namespace ajar::guard
