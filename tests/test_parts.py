"""A part from outside that is missing is a skip that says why, and in CI a failure."""

import resource

import pytest

from tests.support.parts import open_files_or_skip, program_or_skip, require_or_skip

_REASON = "the moon is not installed (apt-get install moon)"


@pytest.fixture(params=["", "0", "false"])
def _elsewhere(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", request.param)


@pytest.fixture
def _ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")


@pytest.mark.usefixtures("_elsewhere")
def test_elsewhere_a_missing_part_is_a_skip_that_says_why() -> None:
    with pytest.raises(pytest.skip.Exception) as skipped:
        require_or_skip(None, _REASON)
    assert skipped.value.msg == _REASON


@pytest.mark.usefixtures("_ci")
def test_in_ci_a_missing_part_is_a_failure_that_says_why() -> None:
    with pytest.raises(pytest.fail.Exception) as failed:
        require_or_skip(None, _REASON)
    assert _REASON in str(failed.value.msg)


@pytest.mark.usefixtures("_elsewhere")
def test_more_open_files_than_a_process_may_have_are_a_missing_part(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, 2000))
    open_files_or_skip(2000)
    with pytest.raises(pytest.skip.Exception, match="ulimit -Hn: 2000"):
        open_files_or_skip(2001)


@pytest.mark.usefixtures("_ci")
def test_a_part_that_is_there_is_returned() -> None:
    assert require_or_skip("moon", _REASON) == "moon"
    assert program_or_skip("sh", "dash").endswith("/sh")


@pytest.mark.usefixtures("_elsewhere")
def test_a_missing_program_names_the_package_that_brings_it() -> None:
    with pytest.raises(pytest.skip.Exception, match="apt-get install package-of-it"):
        program_or_skip("no-such-program", "package-of-it")
