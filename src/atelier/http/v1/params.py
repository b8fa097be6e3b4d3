"""Query and path parameters of /v1. Nothing here accesses the database."""

from collections.abc import Mapping
from enum import StrEnum
from http import HTTPStatus
from typing import NamedTuple, TypeAlias, TypeVar

from atelier.http.common.errors import ApiError, invalid_parameter
from atelier.http.common.ids import integer, target_id
from atelier.http.v1 import cursors
from atelier.store.lists.reader import (
    FIRST_ANSWER,
    AnswersKey,
    Filter,
    Position,
    QuestionKey,
    QuestionsKey,
    Sort,
    first_position,
)
from atelier.store.search.folding import fold
from atelier.store.search.ranking import Listing
from atelier.store.search.ranking import Position as ResultPosition

Values: TypeAlias = Mapping[str, str | list[str]]
"""Query parameters; a repeated one has a list."""

MAX_PRODUCTS = 100
_MAX_LIMIT, _DEFAULT_LIMIT = 100, 10
_MAX_ANSWERS, _DEFAULT_ANSWERS = 100, 2
_MIN_QUERY, _MAX_QUERY = 3, 200
_MAX_SIMILAR_TEXT = 1000
_MAX_SIMILAR, _DEFAULT_SIMILAR = 20, 5
_FIRST_QUESTION = first_position(Sort.HELPFUL)
_RELEVANCE = "relevance"
_FIRST_RESULT: Position = (0, 0, 0)
_MAX_POINTS = 2**31 - 1

Word = TypeVar("Word", bound=StrEnum)


class QuestionsRequest(NamedTuple):
    """A requested page of questions."""

    sort: Sort
    key: QuestionsKey

    @property
    def of_list(self) -> str:
        """The list's name in its cursors."""
        return _questions_list(self.key.product_id, self.sort, self.key.filter)


class AnswersRequest(NamedTuple):
    """A requested page of answers."""

    key: AnswersKey

    @property
    def of_list(self) -> str:
        """The list's name in its cursors."""
        return _answers_list(self.key.question_id)


class SearchRequest(NamedTuple):
    """What to search for, folded; `of_list` names the list in its cursors."""

    product_id: int
    query: str
    listing: Listing
    answers: int
    """The number of answers with each question."""
    of_list: str


def questions(values: Values, product: str) -> QuestionsRequest:
    """Return the requested page of a product's questions, given the product id of the path."""
    parent = product_id(product)
    if not values:  # most requests
        key = QuestionsKey(parent, _DEFAULT_LIMIT, _DEFAULT_ANSWERS, Filter.ALL, *_FIRST_QUESTION)
        return QuestionsRequest(Sort.HELPFUL, key)
    sort = _word(values, "sort", Sort, Sort.HELPFUL)
    filter_ = _word(values, "filter", Filter, Filter.ALL)
    after = first_position(sort)
    if "after" in values:
        after = _after(values, _questions_list(parent, sort, filter_), after)
    limit, answers = _limit(values), answers_per_question(values)
    return QuestionsRequest(sort, QuestionsKey(parent, limit, answers, filter_, *after))


def questions_of_products(values: Values) -> list[QuestionsRequest]:
    """Return the first pages of several products' questions."""
    if "after" in values:
        raise invalid_parameter("after", "left out: continue with one product's own list")
    return [questions(values, str(product)) for product in product_ids(values)]


def question(values: Values, question_id: str) -> QuestionKey:
    """Return the requested question, given the question id of the path."""
    return QuestionKey(target_id("question", question_id), answers_per_question(values))


def answers(values: Values, question: str) -> AnswersRequest:
    """Return the requested page of answers, given the question id of the path."""
    question_id = target_id("question", question)
    after = _after(values, _answers_list(question_id), FIRST_ANSWER)
    return AnswersRequest(AnswersKey(question_id, _limit(values), *after))


def search(values: Values, product: str) -> SearchRequest:
    """Return the requested page of a search, given the product id of the path."""
    parent = product_id(product)
    sort = _searched_sort(values)
    filter_ = _word(values, "filter", Filter, Filter.ALL)
    query = _searched(values, "q", _MAX_QUERY)
    of_list = f"search {parent} {sort} {filter_} {query}"
    after = _after(values, of_list, _FIRST_RESULT)
    position = None if after is _FIRST_RESULT else ResultPosition(*after)
    if position and abs(position.points) > _MAX_POINTS:
        raise _invalid_cursor()
    listing = Listing(_limit(values), sort, filter_, position)
    return SearchRequest(parent, query, listing, answers_per_question(values), of_list)


def similar(values: Values, product: str) -> SearchRequest:
    """Return the request for similar questions, given the product id of the path."""
    parent = product_id(product)
    text = _searched(values, "text", _MAX_SIMILAR_TEXT)
    limit = _number(values, "limit", 1, _MAX_SIMILAR, _DEFAULT_SIMILAR)
    return SearchRequest(parent, text, Listing(limit), answers_per_question(values), "")


def product_ids(values: Values) -> list[int]:
    """Return the parameter `product_ids`, without repetitions."""
    text = values.get("product_ids")
    parts = text if isinstance(text, list) else (text or "").split(",")
    ids = dict.fromkeys(map(integer, parts))
    if None in ids or len(parts) > MAX_PRODUCTS:
        raise invalid_parameter(
            "product_ids", f"1 to {MAX_PRODUCTS} product ids, separated by commas"
        )
    return [number for number in ids if number is not None]


def product_id(text: str) -> int:
    """Return the product id of a path; raise the 404 if it is not a 64-bit integer."""
    number = integer(text)
    if number is None:
        raise ApiError(HTTPStatus.NOT_FOUND, "a product id must be an integer of at most 64 bits")
    return number


def answers_per_question(values: Values) -> int:
    """Return the parameter `answers`."""
    return _number(values, "answers", 0, _MAX_ANSWERS, _DEFAULT_ANSWERS)


def _questions_list(product_id: int, sort: Sort, filter_: Filter) -> str:
    return f"questions {product_id} {sort} {filter_}"


def _answers_list(question_id: int) -> str:
    return f"answers {question_id}"


def _searched(values: Values, name: str, longest: int) -> str:
    """Return a text to search for, as it is compared. Anything longer was not typed by a person."""
    text = values.get(name)
    is_short = isinstance(text, str) and len(text) <= _MAX_SIMILAR_TEXT
    folded = " ".join(fold(text).split()) if is_short and isinstance(text, str) else ""
    if not _MIN_QUERY <= len(folded) <= longest:
        raise invalid_parameter(name, f"text of {_MIN_QUERY} to {longest} characters")
    return folded


def _searched_sort(values: Values) -> Sort | None:
    """Return the order of a search's results; None is by relevance."""
    if values.get("sort", _RELEVANCE) == _RELEVANCE:
        return None
    return _word(values, "sort", Sort, Sort.HELPFUL, f"{_RELEVANCE}, ")


def _limit(values: Values) -> int:
    return _number(values, "limit", 1, _MAX_LIMIT, _DEFAULT_LIMIT)


def _number(values: Values, name: str, lowest: int, highest: int, default: int) -> int:
    number = integer(values[name]) if name in values else default
    if number is None or not lowest <= number <= highest:
        raise invalid_parameter(name, f"a whole number from {lowest} to {highest}")
    return number


def _word(values: Values, name: str, words: type[Word], default: Word, others: str = "") -> Word:
    """Return a parameter that is one of some words; the error names `others` before them."""
    if name not in values:
        return default
    try:
        return words(str(values[name]))  # a repeated parameter is a list, and no word
    except ValueError:
        raise invalid_parameter(name, f"one of {others}{', '.join(words)}") from None


def _after(values: Values, of_list: str, first: Position) -> Position:
    cursor = values.get("after")
    if cursor is None:
        return first
    position = cursors.decode(cursor, of_list, len(first)) if isinstance(cursor, str) else None
    if position is None:
        raise _invalid_cursor()
    return position


def _invalid_cursor() -> ApiError:
    """Return the error for a cursor that is not of this list."""
    return invalid_parameter("after", "the `next` of a page of this list, unchanged")
