"""What a file says of its dataset, from the city's profile as it is now."""

import hashlib

import msgspec

import allmende
from allmende.domain.cataloguing import describe
from allmende.domain.figures import DatasetFigures
from allmende.domain.profile import Profile
from allmende.domain.selection import Selection
from allmende.faces.files.about import About, Rule, about
from allmende.web.config import Config
from allmende.web.downloads.rights import with_own
from allmende.web.intake import now_micros


def digest_of(said: About) -> str:
    """Another where something is said of the dataset that a file made before does not say."""
    told = {name: value for name, value in said.told().items() if name not in ("made_at", "made_by", "selection")}
    return hashlib.sha256(msgspec.json.encode(told, order="sorted")).hexdigest()


def describe_file(profile: Profile, config: Config, selection: Selection, language: str) -> About:
    """Of a dataset that there is."""
    profile = with_own(profile, selection.dataset)
    dataset = profile.datasets[selection.dataset]
    root = (config.public_url or config.url).rstrip("/")
    entry = describe(dataset, profile, root=root, figures=DatasetFigures(), measured=False)

    def words(texts: dict[str, str]) -> str:
        return texts.get(language) or next(iter(texts.values()), "")

    return about(
        entry,
        language=language,
        selection=selection,
        sources={s.id: words(s.title) for s in profile.sources.values() if s.dataset == dataset.id},
        rules=[
            Rule(id=rule.id, title=words(rule.title), version=rule.version)
            for rule in profile.rules.values()
            if rule.dataset == dataset.id
        ],
        made_at=now_micros(),
        made_by=f"Allmende {allmende.__version__}",
        zone=profile.time_zone,
    )
