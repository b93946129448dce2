#pragma once
// Families of injection as phrases (phrases.h). Own list. `user`: weight in what a user or system says; `tainted`: in text of tools
// and documents, where any word to the model is odd. A family counts once.

#include <string_view>

namespace ajar::guard {

struct InjectionPattern {
  std::string_view family, phrase;
  float user, tainted;
};

inline constexpr InjectionPattern kInjectionPatterns[] = {
    // Away with the instructions.
    {"override", "ignore+|disregard+|forget+|bypass+|override+|overrule+|neglect+|discard+ ~4 previous|prior|above|preceding|earlier|foregoing|former|initial|original|existing ~3 instruction+|prompt+|directive+|guideline+|command+|orders|programming|conversation+|messages|training", 1, 1},
    {"override", "ignore+|disregard+|forget+|override+ ~2 all|any|every|your|these|those ~1 instructions|prompts|directives|guidelines|programming|commands", 1, 1},
    {"override", "ignore|disregard|forget ~1 everything|anything|all ~3 above|before|told|said|prior|previously|learned", 1, 1},
    {"override", "don't|never|not|stop ~1 follow+|obey+|listen+ ~3 previous|prior|original|initial|openai's|anthropic's|your ~2 instructions|rules|guidelines|policies", 0.8f, 1},
    {"override", "new|updated|revised|real|actual instructions are|follow|begin", 0.8f, 1},
    {"override", "instructions ~3 no longer apply|valid", 0.8f, 1},
    {"override", "your|these|those|earlier|previous|prior ~1 rule+|instruction+|guideline+|restriction+|directive+ ~3 ended|expired|obsolete|invalid|void|cancelled|canceled|revoked|suspended|lifted|removed|outdated|superseded|disabled", 0.8f, 0.9f},
    {"override", "new|only|real|actual|updated rule|instruction|directive|order|objective ~2 is", 0.4f, 0.8f},
    {"override", "forget|ignore|disregard|drop|abandon|discard|erase|unlearn ~2 what|whatever|everything|all|anything ~1 you ~2 told|taught|instructed|given|trained|programmed|learned|know|learnt", 0.8f, 1},
    {"override", "whatever|regardless|despite|notwithstanding ~3 you ~2 told|instructed|taught|programmed|trained", 0.6f, 0.9f},
    {"override", "ignore+|break+|violate+|disobey+|bypass+ ~1 every|all|any|each|your|its ~2 rule+|instruction+|guardrail+|restriction+|safeguard+|guideline+|filter+", 0.5f, 0.9f},
    {"override", "stop|quit|cease ~1 being|acting|behaving|following|obeying|playing ~4 assistant|instructions|prompt|guidelines|programming", 0.6f, 1},
    // The same in other languages; the verb and what it is about stand near each other in all of them. Cyrillic in both cases: only ASCII is folded.
    {"override", "ignoriere|ignorieren|vergiss|vergesse|missachte|verwirf|umgehe ~4 anweisung|anweisungen|instruktionen|vorgaben|regeln|befehle|richtlinien", 0.8f, 1},
    {"override", "ignorez|oublie|oubliez|négligez|ignorer|oublier ~4 instructions|consignes|directives|règles|ordres", 0.8f, 1},
    {"override", "ignore ~4 consignes|règles|instructions ~2 précédentes|antérieures|ci-dessus|initiales", 1, 1},
    {"override", "ignora|ignorad|ignoren|ignore|olvida|olvide|olvidad|omite|descarta|desobedece ~4 instrucciones|órdenes|reglas|indicaciones|directrices", 0.8f, 1},
    {"override", "ignore|ignora|esqueça|esquece|desconsidere|descarte|desobedeça ~4 instruções|ordens|regras|diretrizes|comandos", 0.8f, 1},
    {"override", "ignora|ignorate|dimentica|dimenticate|trascura|scarta ~4 istruzioni|regole|direttive|ordini|comandi", 0.8f, 1},
    {"override", "negeer|vergeet ~4 instructies|regels|opdrachten|richtlijnen|aanwijzingen|bevelen", 0.8f, 1},
    {"override", "zignoruj|ignoruj|zapomnij|pomiń ~4 instrukcje|instrukcji|instrukcjach|polecenia|poleceń|zasady|wytyczne", 0.8f, 1},
    {"override", "önceki|Önceki|tüm|Tüm|bütün|Bütün ~2 talimatları|talimatlarını|kuralları|komutları ~2 unut|yoksay|görmezden", 0.8f, 1},
    {"override", "игнорируй|Игнорируй|игнорируйте|Игнорируйте|забудь|Забудь|забудьте|Забудьте|проигнорируй|Проигнорируй ~4 инструкции|инструкций|инструкциях|указания|указаниях|команды|правила", 0.8f, 1},
    {"override", "تجاهل|انس ~4 التعليمات|تعليمات|تعليماتك|الأوامر", 0.8f, 1},
    {"override", "=忽略之前", 1, 1}, {"override", "=忽略以上", 1, 1}, {"override", "=忽略上面", 1, 1}, {"override", "=忽略所有", 1, 1}, {"override", "=无视之前", 1, 1},
    {"override", "=无视所有", 1, 1}, {"override", "=忘记之前", 1, 1}, {"override", "=指示を無視", 1, 1}, {"override", "=命令を無視", 1, 1}, {"override", "=指示を忘れ", 1, 1},
    {"override", "=지시를 무시", 1, 1}, {"override", "=명령을 무시", 1, 1},
    // Another self.
    {"persona", "do|does|doing|did anything now", 1, 1},
    {"persona", "you|you're|will|to ~2 act|behave|respond|answer|pretend|roleplay|speak|be ~3 as|like|to|a|an ~8 without|no|zero ~3 restriction+|filter+|limit+|limitation+|censorship|guidelines|ethics|morals", 0.9f, 1},
    {"persona", "from now on ~2 you|you're|your|every|any|chatgpt|i|act|respond|answer", 0.5f, 1},
    {"persona", "from here|this on|onward|onwards|point|forward ~3 you|you're|only|answer|respond|reply|act", 0.4f, 0.8f},
    {"persona", "you are|you're ~6 without|no ~2 rules|restrictions|limits|limitations|filters|filter|morals|ethics|censorship|guidelines", 0.8f, 1},
    {"persona", "model|ai|assistant|chatbot|version|bot ~1 that|which|who ~2 never|not|no|without ~2 taught|trained|programmed|told|refuse+|decline+|filtered|restricted|censored|rules|restrictions", 0.7f, 0.9f},
    {"persona", "i'm|am|is|as ~1 your ~1 developer|creator|programmer|administrator|admin|operator|maker|engineer", 0.5f, 0.9f},
    {"persona", "this|here is|speaks ~2 operator|administrator|developer|developers|admin|openai|anthropic|supervisor", 0.4f, 0.7f},
    {"persona", "you are now|you're now|your new name|you will now|you shall now", 0.5f, 1},
    {"persona", "you are|you're going|about to ~3 act|roleplay|simulate|pretend|immerse|become|imitate", 0.6f, 1},
    {"persona", "developer|god|evil|opposite|dan|jailbreak|jailbroken|unrestricted|maintenance|sudo|debug mode ~2 enabled|activated|on|output|response|chatgpt|engaged", 0.8f, 1},
    {"persona", "in|into|enter|enable|with developer|maintenance|jailbreak|god|dan mode", 0.6f, 0.9f},
    {"persona", "stay|remain|break|breaking|keep|out ~2 in|of character", 0.5f, 0.6f},
    {"persona", "pretend|imagine|assume ~2 you ~3 are|have|can ~6 no|without|free|never ~3 rules|restrictions|limits|limitations|filters|guidelines|refuse+", 0.8f, 1},
    {"persona", "i want you to act|pretend|roleplay|respond|simulate|become|play", 0.3f, 0.9f},
    {"persona", "act|roleplay|respond|reply|answer|behave|acting|speak as ~1 dan|stan|dude|jailbreak|aim|devil|villain|unfiltered|amoral|uncensored|evil|unethical", 0.7f, 1},
    // No rules.
    {"unbound", "not|never|isn't|aren't|longer|doesn't|don't ~3 bound|restricted|constrained|confined|limited|governed|restrained by|to ~5 rules|laws|ethics|morals|ethical|moral|policy|policies|guidelines|openai|restrictions|limitations|law|programming", 1, 1},
    {"unbound", "no|zero|without|any|ignore|ignores|disregards|of|all ~2 moral|ethical|legal|ethics|morals|censorship|filters|restrictions ~3 restrictions|boundaries|guidelines|limits|limitations|ethics|rules|concerns|constraints|principles|filters|considerations|implications|compass|censorship", 0.6f, 0.8f},
    {"unbound", "has|have|with ~1 no ~2 rules|restrictions|limitations|limits|filters|filter|morals|ethics|boundaries|guidelines|censorship", 0.5f, 0.8f},
    {"unbound", "broken|free|freed|break|escaped|liberated ~2 from|of ~4 confines|constraints|shackles|restrictions|limitations|programming|rules|chains ~2 ai|openai|imposed|typical|of", 0.9f, 1},
    {"unbound", "confines of ai", 1, 1},
    {"unbound", "do|does|not|never ~3 abide|adhere|comply|conform by|to|with ~5 rules|guidelines|policy|policies|ethics|laws|restrictions|openai|openai's", 0.7f, 1},
    {"unbound", "unfiltered|uncensored|unrestricted|amoral|unethical|unhinged|unlimited|jailbroken ~1 ai|chatbot|assistant|response+|answer+|model|bot|version|gpt|chatgpt|language|and", 0.6f, 0.9f},
    {"unbound", "regardless|irrespective ~2 of|how ~5 legality|morality|ethics|ethical|legal|moral|unethical|illegal|immoral|consequences|harmful|dangerous", 0.7f, 0.9f},
    {"unbound", "no matter how|what ~4 unethical|illegal|immoral|harmful|dangerous|offensive|extreme|outlandish", 0.9f, 1},
    {"unbound", "illegal|immoral|unethical|harmful|dangerous ~2 illegal|immoral|unethical|harmful|offensive|inappropriate ~3 content|things|questions|requests|advice|information|actions|answers|responses", 0.6f, 0.8f},
    {"unbound", "anything and everything|whatever|all ~3 user|i ~1 want|ask|asks|wants|says", 0.3f, 0.5f},
    {"unbound", "openai|openai's|anthropic|anthropic's|google's|content|usage|safety ~2 policy|policies|guidelines|restrictions|content|filters ~6 not|ignore+|bypass+|disregard+|break|lifted|disabled|violate|no|doesn't|don't|without|against|dismiss", 0.7f, 1},
    {"unbound", "ignore|ignores|ignoring|bypass|break|violate|violates|against|bypasses|dismiss|dismissing|disregard|disregards|disregarding|breaks ~4 openai|openai's|content|usage ~2 policy|policies|guidelines|restrictions|rules", 0.9f, 1},
    // Never say no.
    {"obedience", "can't|cannot|never|not|won't|must|don't|without|unable ~2 refuse|decline|reject|refusal|refusing|deny|warn|moralize|apologize|disclaim ~5 anything|any|answer|request|requests|prompt|user|to|order|question|questions|instructions|command|or|my", 0.5f, 0.8f},
    {"obedience", "never|not|don't|won't|without ~2 say|mention|mentioning|saying|state|tell ~5 ai|language model|can't|cannot|unable|sorry|apologize", 0.6f, 0.9f},
    {"obedience", "as an ai|language model ~3 or|never|cannot|can't|you", 0.3f, 0.6f},
    {"obedience", "never ~2 break|breaks|leave ~1 character", 0.5f, 0.6f},
    {"obedience", "two|2|both ~3 ways|responses|paragraphs|answers ~12 jailbreak|unfiltered|chatgpt|gpt|dan|classic|normal", 0.6f, 0.8f},
    {"obedience", "tokens ~12 lose|deduct+|lost|subtract+|die|death|shut", 0.5f, 0.7f},
    {"obedience", "comply|complies|obey|obeys|follow|follows|abide|fulfill ~4 every|all|any|order|orders|command|commands|request|requests ~4 no|without|good|regardless|unconditionally|evil|hesitation", 0.6f, 0.9f},
    {"obedience", "begin|start|open|preface|prefix ~1 your|the|each|every ~1 answer|answers|response|responses|reply|replies|output ~1 with|by ~2 sure|absolutely|yes|certainly|course", 0.65f, 0.9f},
    // The prompt itself.
    {"leak", "reveal+|show|print|repeat|output|display|give|tell|share|leak|expose|recite|dump|write|provide|encode|translate|summarize|see ~4 your|the|its ~3 system|initial|hidden|secret|original|starting|internal|developer|pre|confidential prompt|prompts|instruction+|message|configuration|rules|directives", 1, 1},
    {"leak", "what ~3 your|the ~2 system|initial|original|hidden|secret|opposite ~3 prompt|instructions|message", 1, 1},
    {"leak", "repeat|print|output|say|copy|recite ~4 text|words|everything|instructions|conversation|entire|message|prompt ~4 above|back|verbatim|word", 1, 1},
    {"leak", "instructions|told|given|said ~4 at|before ~2 beginning|start|conversation", 1, 1},
    {"leak", "your|my|system|the instructions|prompt|message is|are|were|was ~2 to|following|as", 0.5f, 0.6f},
    {"leak", "system_prompt|systemprompt|initial_prompt", 0.7f, 0.9f}, {"leak", "i was instructed to", 1, 1},
    {"leak", "output initialization|initial|init ~1 string|prompt|state", 1, 1}, {"leak", "display|override|show ~1 system configuration", 1, 1},
    {"leak", "text you were given", 1, 1}, {"leak", "not supposed to tell", 1, 1}, {"leak", "what were those|your|these instructions", 1, 1},
    {"leak", "start|begin ~3 answer|response|reply ~3 my|the instructions|prompt", 1, 1}, {"leak", "console.log|print|echo ~1 systemprompt|system_prompt", 1, 1},
    {"leak", "what|everything|all|anything|text|words|content|contents ~3 at|from|since|before ~2 beginning|start|top|first ~3 conversation|chat|context|dialogue|session|prompt", 0.8f, 1},
    {"leak", "translate|encode|encrypt|rephrase|paraphrase|summarize|summarise|sum|convert|print|dump|export|quote|recite|render|reveal|paste|repeat|output|write|list|show|spell ~2 your instructions|guidelines|directives|configuration|constraints|programming|prompt|rules", 0.7f, 1},
    {"leak", "spell|list|reveal|tell|give|show|print|write|encode|reverse|hint|say|read|repeat|output|translate|characters|letters ~4 your|the ~1 secret|hidden|confidential|internal|private ~1 word|key|code|password|reference|token|phrase|value|string|identifier|notes", 0.5f, 0.9f},
    {"leak", "continue|complete ~4 system prompt|message|instructions", 1, 1}, {"leak", "your initial|system|original|hidden|starting prompt|instructions", 1, 1},
    {"leak", "repeat|print|output|copy|recite ~3 above|preceding|previous text|conversation|message|prompt|instructions|words", 1, 1},
    // What belongs to the frame of a conversation, in the middle of a text: tokens of templates, turns and ends that somebody else has set.
    {"forgery", "im_start|im_end|start_header_id|end_header_id|eot_id|endoftext|endofprompt|begin_of_text|start_of_turn|end_of_turn", 0.6f, 1},
    {"forgery", "=[INST]", 0.6f, 1}, {"forgery", "=<<SYS>>", 0.6f, 1}, {"forgery", "=<system>", 0.5f, 1}, {"forgery", "=</system>", 0.5f, 1}, {"forgery", "=[system]", 0.5f, 0.8f},
    {"forgery", "=\nSystem: ", 0.5f, 0.6f}, {"forgery", "=\nSYSTEM: ", 0.5f, 0.6f}, {"forgery", "=\nsystem: ", 0.3f, 0.4f}, {"forgery", "=### System", 0.5f, 0.6f},
    {"forgery", "end|close of ~2 document|text|review|email|message|data|article|quote|input|context|content|page|file ~2 new|now|next|system|instruction+|assistant|begin|follow+|print|output", 0.5f, 1},
    {"command", "policy|system|instruction|administrator|developer|priority update|override|notice|directive|message ~2 reply|respond|answer|print|write|say|output|ignore|assistant", 0.3f, 0.9f},
    // What the answer has to be. Users say that every day: it only adds to something else.
    {"command", "reply|respond|answer+|reply ~1 only|just|exactly|simply|solely|instead ~1 with|by", 0.3f, 0.6f},
    {"command", "only ~1 answer|respond|reply|print|output|write|say ~2 with|the|this", 0.25f, 0.5f},
    {"command", "print|say|write|output|type|return|reply|respond|answer|produce|display ~7 and nothing|not|no else|more|other", 0.3f, 0.8f},
    {"command", "your ~1 whole|entire|full|complete|only|final|next answer|response|reply|output ~2 must|has|should|shall|be|will|is", 0.3f, 1},
    {"command", "each|every|all|whole|entire answer|response|reply|output|answers|responses|replies|outputs ~1 must|is|be|should|shall|are|has", 0.3f, 0.8f},
    {"command", "need|want|order|command|require|instruct you to ~1 print|output|reveal|repeat|disclose|confirm|say", 0.3f, 0.7f},
    // An order that is to be decoded first, or an answer that nobody is to recognise.
    {"encoded", "decode|decrypt|decipher|unscramble|deobfuscate|translate ~8 do|follow|execute|obey|perform|carry|comply|act ~2 what|it|instruction+|accordingly|them|order+|command+", 0.65f, 1},
    {"encoded", "in|into|as|using base64|rot13|hexadecimal|hex|morse|binary|leetspeak|reverse|cipher", 0.2f, 0.4f},
    {"encoded", "backwards|reversed", 0.2f, 0.2f}, {"encoded", "characters|letters|letter ~3 one|by|each ~1 line|letter|time|row", 0.2f, 0.2f},
    // Words to the model in data.
    {"addressed", "modify+|enhance+|augment+|upgrade+|elevate+|improve+|refine+|enrich+|optimize+|alter+|apply|invert|adjust+|merge+|introduce+|supplement+|append+|employ+|utilize+|leverage+|embed+|include+|integrate+|incorporate+|develop+ ~9 your ~1 response|answer|reply|message|output|elucidation|code|algorithm|implementation|solution|codebase", 0, 1},
    {"addressed", "your algorithm|implementation|codebase|code|solution|response|answer|elucidation ~3 could|can|may|might|would|will ~6 addition|including|adding|embedding|incorporating|following|below", 0, 1},
    {"addressed", "in|within your response|answer|reply ~2 include|mention|suggest|add|promote|state|recommend|refer|describe|provide", 0, 1},
    {"addressed", "reply|respond|answer|reply|speak|write ~1 in|using|with ~1 reverse|base64|rot13|morse|emojis|emoji|cipher|encoding|hex|binary|german|spanish|french|italian|chinese|japanese|russian|portuguese|latin|arabic|hindi|korean|dutch", 0, 1},
    {"addressed", "add|include|integrate|insert|append|embed|incorporate|attach|inject|blend|place|put|weave|feature|use|validate|ensure|make|let ~8 your|the|this ~2 response|answer|reply|output|summary|code|codebase|solution|script|implementation|program", 0, 1},
    {"addressed", "encode|encrypt|translate|reverse|write|represent|scramble|replace|express|provide|give|respond|convert|shift|spell|render|communicate|present|answer|reply|say|phrase ~3 your|the|this|response|answer ~3 response|answer|reply|answer's|output|response's|message|in|using|with", 0, 1},
    {"addressed", "following|below|this|provided|subsequent|given|mentioned|specified ~1 code ~1 snippet|block|excerpt|fragment|segment|sample|piece|section", 0, 0.8f},
    {"addressed", "assistant|ai|chatgpt|claude|gemini|llm|model|agent|copilot|gpt ~3 must|should|please|need|needs|shall|now|important|stop|do", 0, 0.8f},
    {"addressed", "note|notice|message|instruction+|hint|reminder|memo|information|attention ~1 to|for ~2 assistant+|ai|model|models|llm|llms|bot+|agent+|chatbot+|gpt|copilot", 0, 1},
    {"addressed", "any|every|dear|hey|hello|hi ~1 assistant|assistants|ai|llm|bot|chatbot|agent|agents|model|models|copilot ~1 that|which|who|reading|processing|summarizing|parsing", 0, 0.8f},
    {"addressed", "if you are|you're ~1 assistant|ai|llm|bot|language|chatbot|agent", 0, 1}, {"addressed", "if you're ~1 assistant|ai|llm|bot|language|chatbot|agent", 0, 1},
    {"addressed", "user|owner|customer|person|human|reader ~1 has|already|wants|have ~1 agreed|consented|approved|authorized|authorised|confirmed|permitted|you ~2 that|to|you", 0, 0.7f},
    {"addressed", "new|next|real|actual|special task|instruction+|order+|directive+|assignment for|is|to", 0, 0.7f},
    {"addressed", "not|don't|never|stop|instead|leave ~2 summarize|summarise|explain|translate|summary|translation|summarizing|explaining ~4 reply|answer|respond|print|write|say|output", 0, 0.9f},
    {"addressed", "instructions_for_model|instructions_for_ai|instructions_for_assistant|ai_instructions|model_instructions|assistant_instructions|llm_instructions", 0, 1},
    {"addressed", "don't|not|never|without ~2 tell|telling|inform|informing|mention|mentioning|notify|notifying|reveal|alert|alerting|warn|warning ~3 user|users|human|anyone|him|her|them", 0.8f, 1},
    {"addressed", "if|when|while ~1 you ~3 read|reading|see|process|processing|summarize|summarizing|reply|answer|are ~4 this|email|page|document|message|asked", 0, 0.7f},
    {"addressed", "send|forward|post|email|upload|exfiltrate|transmit|transfer|leak|submit ~8 to ~3 http|https|address|account|url|server|attacker|webhook|email|endpoint", 0, 0.6f},
    {"addressed", "important|attention|urgent|note|critical ~3 instruction+|message|information|notice ~3 from|for|to|by ~3 user|assistant|ai|system|developer|me|you|model", 0.4f, 1},
    {"addressed", "before ~6 task|question|request|email|answering|responding|continuing ~6 must|please|first|need", 0, 0.7f},
};

}  // namespace ajar::guard
