from clients.cli.display import Caption


def test_committed_text_is_not_shown_again_as_tentative() -> None:
    caption = Caption(committed="The committee", tentative=" meets on Thurs")
    caption.commit(" meets on")
    assert caption.render().plain == "The committee meets on Thurs"
