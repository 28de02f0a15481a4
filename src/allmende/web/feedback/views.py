"""Tell the operator; and, for the operator, what was told."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from allmende.web.accounts.audit import record
from allmende.web.accounts.clients import address_of, prefix_of
from allmende.web.accounts.roles import asks_for
from allmende.web.counts import Bucket
from allmende.web.feedback.forms import TITLES, MessageForm
from allmende.web.feedback.models import DAYS, Message

MOST = 200
BUCKET = Bucket(settings.ALLMENDE.feedback_rate, "feedback")


@require_http_methods(["GET", "HEAD", "POST"])
def tell(request: HttpRequest) -> HttpResponse:
    """The form; by POST the message is kept and the operator is told. 429 for too many from one address."""
    if request.method != "POST":
        form = MessageForm(initial={"page": request.GET.get("page", "")[:500]})
        return render(request, "feedback/tell.html", {"form": form, "days": DAYS})
    form = MessageForm(request.POST)
    if not form.is_valid():
        return render(request, "feedback/tell.html", {"form": form, "days": DAYS}, status=422)
    wait = BUCKET.take(prefix_of(address_of(request)))
    if wait:
        response = render(request, "feedback/tell.html", {"form": form, "days": DAYS, "blocked": True}, status=429)
        response["Retry-After"] = str(int(wait) + 1)
        return response
    if not form.cleaned_data["website"]:
        form.save()
    return HttpResponseRedirect(reverse("feedback:thanks"))


@require_http_methods(["GET", "HEAD"])
def thanks(request: HttpRequest) -> HttpResponse:
    """It has come."""
    return render(request, "feedback/thanks.html")


@require_http_methods(["GET", "HEAD"])
@asks_for("feedback.see")
def messages(request: HttpRequest) -> HttpResponse:
    """What was told and is not settled, newest first; ``?all`` with those that are."""
    found = Message.objects.all() if "all" in request.GET else Message.objects.filter(settled__isnull=True)
    listed = [{"it": each, "kind": TITLES[each.kind]} for each in found[:MOST]]
    return render(request, "feedback/messages.html", {"listed": listed, "all": "all" in request.GET, "days": DAYS})


@require_POST
@asks_for("feedback.see")
def settle(request: HttpRequest, number: int) -> HttpResponse:
    """It was seen to: from now its days are counted."""
    message = get_object_or_404(Message, pk=number)
    if message.settled is None:
        message.settled = timezone.now()
        message.save(update_fields=["settled"])
        record(f"user:{request.user.get_username()}", "feedback.settle", f"feedback:{number}")
    return HttpResponseRedirect(reverse("feedback:messages"))
