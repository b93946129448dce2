// Words that say nothing about what a text is about. The English list is the one that Lucene's analyzers have always had (33
// words; facts of the language, not a work); the others are function words written down for this file, without diacritics lost.

#include <array>
#include <string_view>
#include <unordered_set>

#include "base/text.h"
#include "index/analyzer.h"

namespace ajar::index {
namespace {

constexpr std::string_view kCodes[kLanguages] = {"none", "en", "es", "fr", "de", "it", "pt", "nl", "sv", "no", "da", "fi", "ru"};

constexpr std::string_view kLists[kLanguages] = {
    "",
    "a an and are as at be but by for if in into is it no not of on or such that the their then there these they this to was will with",
    "a al ante como con contra cual cuando de del desde donde durante e el ella ellas ellos en entre era eran es esa esas ese eso esos esta "
    "estas este esto estos fue fueron ha han hasta hay la las le les lo los me mi mis muy más ni no nos o os para pero por porque que qué "
    "quien quién se ser si sin sobre son su sus también te tu tus un una uno unas unos y ya yo cuál cuándo cómo dónde",
    "a ai alors au aux avec c' ce ces cet cette d' dans de des du elle elles en est et eux il ils j' je l' la le les leur leurs lui ma mais "
    "me mes mon même ne nos notre nous on ont ou où par pas pour qu' que qui s' sa se ses son sont sur ta te tes toi ton tu un une vos votre "
    "vous y été être était",
    "aber als am an auch auf aus bei bin bis bist da damit das dass daß dem den der des die dies diese diesem diesen dieser dieses doch du "
    "ein eine einem einen einer eines er es für hat hatte ich ihm ihn ihr ihre im in ist ja kein keine man mein mit nach nicht noch nun nur "
    "ob oder sein seine sich sie sind so über um und uns unter vom von vor war waren was weil wenn wer werden wie wir wird wurde zu zum zur",
    "a ad agli ai al alla alle anche c' che chi ci come con da dagli dai dal dalla dalle degli dei del della delle dell di do e ed è era "
    "erano essere fu gli ha hanno i il in io l' la le lei li lo loro lui ma mi nei nel nella nelle non o per perché più quale quando quello "
    "questa queste questi questo se si sia sono su sua sue sui sul sulla suo suoi tra tu un una uno vi",
    "a ao aos as até com como da das de dela dele do dos e ela elas ele eles em entre era essa esse esta este eu foi foram há isso isto já "
    "lhe mais mas me mesmo meu minha muito na nas nem no nos nós não o os ou para pela pelas pelo pelos por qual quando que quem se sem ser "
    "seu seus sua suas são também te tem um uma umas uns você é à às",
    "aan al als bij dan dat de der die dit doch door een en er ge geen had haar heb hebben heeft hem het hier hij hoe hun ik in is je kan me "
    "men met mij naar niet nog nu of om onder ons ook op over te tegen toch toen tot u uit van veel voor want waren was wat werd wie wij wordt "
    "zal ze zich zij zijn zo zou",
    "alla att av de dem den deras dess det detta där då efter ej eller en ett från för ha hade han har hennes hon honom hur i icke inte jag "
    "kan man med mellan men min mot mycket ni nu när och om oss på samma sedan sig sin sina sitt ska skulle som så till under upp ut utan vad "
    "var vara vi vid än är över",
    "alle at av ble bli da de deg dem den denne der deres det dette du eg ein ei eller en enn er et etter for fra før ha hadde han hans har "
    "henne hennes hun hva hvem hvor i ikke inn jeg kan man med meg men mellom mitt mot må ned noe nå når og også om opp oss over på sa seg "
    "selv si sin skal slik som så til ut var ved vi vil være",
    "af alle at blev blive da de dem den denne der deres det dette dig din dog du efter eller en end er et for fra før ham han hans har havde "
    "hende hendes her hos hun hvad hvis hvor i ikke ind jeg jer kan man mange med meget men mig min mod ned noget nogle nu når og også om op "
    "os over på sig sin skal som sådan til ud under var ved vi vil være",
    "ei eivät ella en ennen että hän häntä he heidän ilman itse ja johon joiden joka jos jossa jotka joten kanssa kuin kuinka kun kuten "
    "me mikä minä missä mitä mukaan mutta muut myös ne niiden niin noin nyt olen oli olivat olla on ovat se sekä sen siinä sitä tai tämä "
    "tämän tässä te tuo vaan vain vai vielä voi",
    "а без бы был была были было быть в вам вас весь во вот все всё вы где да даже для до его ее её если есть еще ещё же за здесь и из или им "
    "их к как ко когда кто ли между меня мне мы на над не него нее нет ни но ну о об он она они оно от по под при с свой себя со так также там "
    "те тем то того тоже только том ты у уже чего чем что чтобы эта эти это этот я",
};

const std::array<std::unordered_set<std::string_view>, kLanguages> kSets = [] {
  std::array<std::unordered_set<std::string_view>, kLanguages> sets;
  for (size_t i = 1; i < kLanguages; ++i)
    for (const std::string_view word : split(kLists[i], ' '))
      if (!word.empty()) sets[i].insert(word);
  return sets;
}();

}  // namespace

bool is_stop_word(Language language, std::string_view folded_word) { return kSets[static_cast<size_t>(language)].contains(folded_word); }

std::string_view language_code(Language language) { return kCodes[static_cast<size_t>(language)]; }

std::optional<Language> language_of(std::string_view code) {
  for (size_t i = 0; i < kLanguages; ++i)
    if (iequals(kCodes[i], code)) return static_cast<Language>(i);
  return std::nullopt;
}

}  // namespace ajar::index
