"""Tells the text of an error from an answer, for agents of which nobody said how they show that the model's provider refused.

A text counts only as a whole: it begins as errors do, and nothing but what belongs to the error follows. An answer that speaks of errors
does not. Whoever knows more (a model was used, a tool ran) does not ask here at all.
"""

import json
import re
from http import HTTPStatus

_MAX_TEXT = 4000
_MAX_SENTENCE = 600
_DECORATION = re.compile(r"\A(?:[^\w{\[(<'\"`]|`{1,3}(?:json|text)?\n?)+|[\s`*_]+\Z")
"""Signs, emphasis and fences around it."""
_PHRASES = "|".join(re.escape(status.phrase) for status in HTTPStatus if status >= 400)
_STATUS = r"(?P<status>[45]\d\d)"
_TAIL = rf"(?:[\s.:;,(\[\-–—·|]+(?:.{{0,{_MAX_SENTENCE}}}))?"
"""What errors say behind their name: a reason, an address, an id."""
_POINTED = rf"(?:\s*[.:;,(\[\-–—·|]+.{{0,{_MAX_SENTENCE}}})?"
"""The same behind words that may also begin a sentence."""
_ERROR_NAME = r"(?:[\w.]*\.)?\w*(?:Error|Exception|Failure|Fault)"
_SYSTEM = (
    r"\b(?:E(?:CONN(?:REFUSED|RESET|ABORTED)|NOTFOUND|AI_AGAIN|TIMEDOUT|HOSTUNREACH|NETUNREACH|PIPE)|UND_ERR_\w+|"
    r"ERR_(?:NETWORK|SOCKET|TLS)\w*|CERT_HAS_EXPIRED|SELF_SIGNED_CERT\w*)\b"
)
_OWNERS = "(?:api|llm|provider|request|model|http|server|client|upstream)"
_YOU = "(?:error: )?you(?:'ve| have)? (?:hit|reached|exceeded)"
_FORMS = (
    # a status where an error has it
    ("", rf"(?:HTTP(?:/\d(?:\.\d)?)?[ :]*)?(?:status(?: code)?[ :]+)?{_STATUS}[ :\-–—]*(?:{_PHRASES}){_TAIL}"),
    ("", rf"HTTP(?:/\d(?:\.\d)?)?[ :]+(?:error[ :]+|status(?: code)?[ :]+)?{_STATUS}{_TAIL}"),
    (
        "",
        rf"(?:{_OWNERS}[ -])*error(?: code| status)?[ :(]+{_STATUS}\)?(?:{_TAIL}|\s*[{{].*)",
    ),
    ("", rf"{_ERROR_NAME}:.{{0,200}}?(?:status|code)[ a-z:]*{_STATUS}\b.{{0,{_MAX_SENTENCE}}}"),
    ("", rf"{_ERROR_NAME}:\s*{_STATUS}\b.{{0,{_MAX_SENTENCE}}}"),
    ("", rf"(?:the )?(?:api |llm |model )?request failed(?: with| after| due)[^\n]{{0,60}}?{_STATUS}\b{_TAIL}"),
    ("", rf"(?:unexpected status|last status|exceeded retry limit)[^\n]{{0,60}}?{_STATUS}\b.{{0,{_MAX_SENTENCE}}}"),
    # a system's own name of it
    ("unreachable", rf"(?:[\w. ]{{0,40}}(?:error|failed|exception)[: ]+)?.{{0,120}}{_SYSTEM}.{{0,200}}"),
    ("unreachable", r"(?:typeerror: |error: )?(?:fetch failed|failed to fetch|socket hang up|network error|terminated)\W*(?:\(.*\))?"),
    ("unreachable", r"(?:error: )?(?:api |apiconnection)?connection (?:error|refused|reset|timed out|closed)(?: by peer)?\W*(?:\(.*\))?"),
    ("unreachable", r"(?:error: )?(?:the )?(?:api |llm |model )?(?:request|connection) timed out(?: after [\w. ]+)?\W*"),
    ("unreachable", r"(?:error: )?stream (?:error|disconnected)(?: before completion)?:.{0,300}"),
    ("unreachable", r"upstream connect error or disconnect/reset before headers.{0,300}"),
    ("unreachable", r"[\w.]*(?:APIConnection|APITimeout|Connect|ReadTimeout|Fetch|Timeout)(?:Error|Exception):.{0,300}"),
    # the names that providers give it
    (
        "rate_limited",
        rf"(?:\w*error: |{_YOU} (?:your|the) )?rate[ _-]?limit(?:ed)?(?:[ _](?:exceeded|reached|hit|error))?(?: for .{{0,300}}|{_POINTED})",
    ),
    ("rate_limited", r"(?:error: )?resource (?:has been )?exhausted.{0,200}"),
    ("rate_limited", r"(?:error: )?too many requests\W*(?:(?:please )?(?:try again|retry|slow down).{0,100})?"),
    ("rate_limited", r"[\w.]*RateLimitError:.{0,400}"),
    ("quota", r"(?:error: )?you (?:have )?exceeded your current quota.{0,300}"),
    ("quota", r"(?:error: )?your credit balance is too low.{0,300}"),
    ("quota", r"(?:error: )?(?:insufficient|not enough) (?:credits?|quota|funds|balance)\b.{0,200}"),
    (
        "quota",
        r"(?:error: )?(?:\w+ )?(?:ai )?usage limit reached\W.{0,200}",
    ),
    (
        "quota",
        rf"{_YOU} your (?:usage|monthly|weekly|daily) limit.{{0,200}}",
    ),
    ("quota", r"(?:error: )?billing (?:hard )?limit (?:has been )?reached.{0,100}"),
    (
        "auth_required",
        r"(?:error: )?(?:incorrect|invalid|missing|expired) (?:x-)?api[ _-]?key(?: provided)?(?:\W.{0,300})?",
    ),
    ("auth_required", r"(?:error: )?(?:no auth credentials found\W*|(?:oauth )?(?:access )?token (?:has )?expired\W.{0,200})"),
    ("auth_required", r"[\w.]*(?:Authentication|PermissionDenied)Error:.{0,400}"),
    ("overloaded", r"(?:error: )?overloaded(?:_error)?\W*|(?:error: )?the (?:model|engine|server) is (?:currently )?overloaded.{0,200}"),
    ("overloaded", r"(?:error: )?(?:internal server error|bad gateway|service (?:temporarily )?unavailable|gateway time-?out)\W*"),
    ("overloaded", r"[\w.]*(?:InternalServer|ServiceUnavailable|Overloaded)Error:.{0,400}"),
    ("provider_error", r"(?:error: )?this model's maximum context length is \d.{0,300}|(?:error: )?prompt is too long: \d.{0,100}"),
    ("provider_error", r"(?:error: )?the model ['`\"]?[\w./:-]+['`\"]? (?:does not exist|was not found)(?:\W*| or .{0,120})"),
    ("provider_error", r"[\w.]*(?:BadRequest|NotFound|InvalidRequest|APIStatus|API|ContextWindowExceeded)Error:.{0,400}"),
)
_COMPILED = tuple((code, re.compile(form, re.IGNORECASE | re.DOTALL)) for code, form in _FORMS)
_EXPLAINS = re.compile(
    r"\b(?:means|meaning|indicates?|refers? to|is (?:a|an|the|what|returned|sent)\b|stands for|happens|occurs?|usually|typically"
    r"|for example|I(?:'ve| have|'ll| will)? (?:fixed|added|changed|see|found|looked|updated|would|can)"
    r"|you (?:can|could|should) (?:catch|handle|see|use)"
    r"|e\.g\. when|when (?:a|the|you))\b"
)
"""What people are told about errors, and errors do not say of themselves."""
_BODY = re.compile(r"\A[^{\n]{0,160}?(?P<json>\{.*\})[\s)\].]*\Z", re.DOTALL)


def read(text: str) -> tuple[str, int | None] | None:
    """Our code, empty where only the HTTP status says it, and that status; `None`: it reads as an answer."""
    plain = _DECORATION.sub("", text.strip().replace("**", "")).strip()
    if not 0 < len(plain) <= _MAX_TEXT:
        return None
    if _is_body(plain):
        return "", None
    if len(plain) > _MAX_SENTENCE or plain.count("\n") > 3 or _EXPLAINS.search(plain) or plain.endswith("?"):
        return None
    for code, form in _COMPILED:
        if match := form.fullmatch(plain):
            status = match.groupdict().get("status")
            return code, int(status) if status else None
    return None


def _is_body(text: str) -> bool:
    """A provider's error as JSON, with hardly a word before it and none behind it."""
    match = _BODY.match(text)
    if match is None or _EXPLAINS.search(text[: match.start("json")]):
        return False
    try:
        body = json.loads(match["json"])
    except (ValueError, RecursionError):
        return False
    error = body.get("error")
    return (isinstance(error, dict) and isinstance(error.get("message"), str) and bool({"type", "code", "status"} & {*error, *body})) or (
        body.get("type") == "error" and isinstance(body.get("message"), str)
    )
