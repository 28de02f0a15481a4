"""What is held of somebody in questions that they keep."""

from django.utils.translation import gettext_lazy as _

from allmende.domain.holdings import COMMONS, Kept, Subject, Wishes, register
from allmende.web.accounts.rows import Rows
from allmende.web.sql.models import SavedQuery


class Questions(Rows):
    """Their own go; what was published stays, without a name."""

    def erase(self, subject: Subject, wishes: Wishes) -> list[Kept]:
        """See Holding."""
        rows = self.rows(subject)
        rows.filter(slug=None).delete()
        published = list(rows)
        rows.update(user=None)
        if not published:
            return []
        return [Kept(place=self.named.place, what=", ".join(each.title for each in published), why=COMMONS)]


def register_all() -> None:
    """Those of this app."""
    register(
        Questions(
            SavedQuery, place="questions", title=_("Questions in SQL"), order=35, by=("user",),
            fate=_("is deleted; what was published stays without a name"), also=("title", "description", "text"),
            told=("title", "description", "text", "created", "changed", "opened", "published", "slug"),
            sections=("Questions in SQL",), erasure="delete",
        )
    )  # fmt: skip
