"""The planner's vocabulary, as pieces of regular expressions: English verbs and nouns by the work they ask for."""

from __future__ import annotations

import re


def any_of(*alternatives: str) -> str:
    """A group of alternatives, each line of which may hold several."""
    return f"(?:{'|'.join(alternatives)})"


def compiled(pattern: str, flags: int = 0) -> re.Pattern[str]:
    """A pattern that ignores case."""
    return re.compile(pattern, re.IGNORECASE | flags)


LANGUAGE = any_of("python|pyhton|javascript|typescript|java|rust|golang|haskell|sql|bash|ruby|kotlin|swift|perl")

CODE_NOUN = any_of(
    "functions?|functoins?|fucntions?|funcs?|class(?:es)?|scripts?|programs?|methods?|routines?|modules?|decorators?|generators?|regex(?:es)?",
    "snippets?|helpers?|algorithms?|subroutines?|lambdas?|one-liners?|unit tests?|test cases?|converters?|parsers?",
    "quer(?:y|ies)|code|implementations?|iterators?|command[- ]line tools?|wrappers?|validators?",
)

SUMMARY_NOUN = any_of(
    "summ?[ae]r(?:y|ies)|synops[ie]s|gist|recaps?|digests?|tl;?dr|overviews?|outlines?|abridgements?|round-?ups?",
    "key points?|main points?|takeaways?|bullet points?|condensations?|précis|nutshell|short version|essence",
)

TEXT_NOUN = any_of("sent[ae]nces?|lines?|paragraphs?|words|bullets?|statements?|tweets?")

PROSE_NOUN = any_of("letters?|e-?mails?|messages?|repl(?:y|ies)|memos?|posts?")

SUMMARY_VERB = any_of(
    r"summ?[ae]ri[sz](?:e|ing)|sum(?:ming)? (?:\S+ ){0,8}?up|condens(?:e|ing)|shorten(?:ing)?|compress(?:ing)?",
    r"abridg(?:e|ing)|digest|recap(?:ping)?|boil(?:ing)? (?:\S+ ){0,12}?down|distil(?:l|ling)?|paraphras(?:e|ing)",
    r"trim (?:\S+ ){1,6}?(?:down )?to|outline",
    r"(?:cut|pare|whittle|slim|trim) (?:\S+ ){1,4}?down",
    r"(?:make|get) (?:\S+ ){1,6}?(?:shorter|briefer|more concise|concise)",
    r"(?:reduce|cut|shrink|squeeze|get|bring|turn|put|rewrite|rephrase|reword|restate|express|say) (?:\S+ ){0,8}?"
    rf"(?:down )?(?:in|to|into|as) (?:\w+[ -]){{0,4}}?{TEXT_NOUN}",
)

SUMMARY_VERB_TOLD = any_of(
    "summ?[ae]ri[sz]e[sd]|sum(?:s|med) (?:\\S+ ){0,6}?up|condense[sd]|shorten(?:s|ed)|compress(?:es|ed)|abridge[sd]",
    "recap(?:s|ped)|boil(?:s|ed) (?:\\S+ ){0,8}?down|distil(?:ls|led|s)|paraphrase[sd]",
)
"""The same told of someone or something: "a function that summarises", "while someone condenses"."""

RETRIEVAL_VERB = any_of(
    r"look (?:\w+ ){0,4}?up|look for|look (?:in|into|inside|through|thru|trough|over) (?:the|our|my|all)|search",
    r"retrieve|locate|dig (?:\w+ ){0,3}?(?:up|out)|track (?:\w+ ){0,3}?down",
    r"find out|consult|hunt (?:\w+ ){0,3}?down|go through|pull (?:\w+ ){0,4}?(?:up|out)|fish (?:\w+ ){0,4}?out",
    r"check in (?:the|our|my|both)|(?:pull|grab|fetch|fish) (?:\S+ ){1,4}?(?:from|out of) (?:the|our|my|this|that)",
    r"(?:pull|get|fetch) (?:me )?(?:the|all|any) (?:\w+ ){0,2}?(?:entr(?:y|ies)|passages?|sections?|records?|quotes?)",
)

RETRIEVED = any_of(
    "looked up|found(?: out)?|located|retrieved|searched(?: for)?|dug (?:up|out)|tracked down|fetched",
    "pulled (?:up|out)",
)

STORE_NOUN = any_of(
    "collections?|notes?|archives?|corpus|records|handbook|manuals?|knowledge base|library|sources?|index|database",
    "literature|logs?|wiki|materials?|diar(?:y|ies)|journals?|ledger|register|encyclop(?:a)?edia|textbook|guide",
)
"""What is searched rather than read whole."""

COLLECTION_NOUN = any_of(
    STORE_NOUN, "documents?|docs|passages?|files?|papers?|stud(?:y|ies)|minutes|texts?|reports?|abstracts?|articles?"
)

DOCUMENT_NOUN = any_of(
    "documents?|abstracts?|papers?|articles?|reports?|texts?|files?|attachments?|stor(?:y|ies)|letters?|stud(?:y|ies)",
    "transcripts?|minutes|meetings?|essays?|chapters?|e?-?mails?|memos?|discussions?|speech(?:es)?|reviews?",
)

RESULT_NOUN = any_of(
    "answers?|results?|findings?|passages?|sentences?|summar(?:y|ies)|paragraphs?|quotes?|values?|numbers?|facts?",
    "outputs?|figures?|names?|texts?|functions?|lines?|stud(?:y|ies)|information|data|evidence|response|section|year",
    "date|factor|formula|list|code|conclusions?|statements?|extracts?|excerpts?|gist|recaps?|digests?|points?|title",
    "word|amount",
)
"""What a subtask gives, when a later one speaks of it."""

MAKE_VERB = any_of(
    "write|implement|create|build|define|develop|code|program|design|generate|make|draft|compose|produce|provide",
    "prepare|put together|supply|devise|craft|sketch|wrap|port|refactor|debug|fix|hand me|give|show|send|deliver",
    "finish with|close with|conclude with|formulate|put|place|embed|insert|hard-?code|package",
)

OTHER_VERB = any_of(
    "tell|explain|describe|list|name|compute|calculate|compare|contrast|translate|convert|combine|merge|join|blend",
    "fuse|unite|weave|take|turn|extract|report|analy[sz]e|rewrite|rephrase|classify|sort|count|estimate|evaluate",
    "assess|review|suggest|recommend|propose|state|express|point out|say|read|pick|choose|select|plot|draw|store|save",
    "assemble|feed|apply|proofread|rank|relate|solve|work out|figure out|establish|verify|prove|check|test|see",
    "investigate|research|answer|get|fetch|find|identify|determine|bring|collect|gather|quote|cite|help|transform",
    "infer|deduce|pull",
)

LENGTH = (
    r"(?:one|a|an|two|three|four|five|six|\d+|single|few|couple of)[- ](?:\w+ )?"
    r"(?:sentences?|lines?|paragraphs?|words|bullets?(?: points?)?)"
)
