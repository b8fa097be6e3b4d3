"""The schema.org data of a question's permalink, as search engines document it for `QAPage`."""

from collections.abc import Mapping
from typing import Any

_Data = dict[str, Any]


def qa_page(question: Mapping[str, Any], url: str) -> _Data | None:
    """Return the data of a question with its answers, as /v1 shows them, and its permalink.

    None without an answer that has text: search engines require one. The best answer of the
    seller is the accepted one.
    """
    answers = [answer for answer in question["answers"] if answer["body"].strip()]
    if not answers:
        return None
    accepted = next((answer for answer in answers if answer["is_seller"]), None)
    suggested = [_answer(answer, url) for answer in answers if answer is not accepted]
    return {
        "@context": "https://schema.org",
        "@type": "QAPage",
        "mainEntity": {
            "@type": "Question",
            "name": question["body"],
            "url": url,
            "answerCount": question["answer_count"],
            **_post(question),
            **({"acceptedAnswer": _answer(accepted, url)} if accepted else {}),
            **({"suggestedAnswer": suggested} if suggested else {}),
        },
    }


def _answer(answer: Mapping[str, Any], url: str) -> _Data:
    photos = [photo["url"] for photo in answer["photos"]]
    return {
        "@type": "Answer",
        "url": f"{url}#answer-{answer['id']}",
        **_post(answer),
        **({"image": photos} if photos else {}),
    }


def _post(post: Mapping[str, Any]) -> _Data:
    kind = "Organization" if post.get("is_seller") else "Person"
    return {
        "text": post["body"],
        "upvoteCount": post["helpful"],
        "datePublished": post["created_at"],
        "author": {"@type": kind, "name": post["author"]},
    }
