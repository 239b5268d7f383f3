from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import pgettext
from django.views.decorators.http import require_http_methods, require_POST

from portal.http import StaffRequest, staff
from rumors import actions as rumors
from rumors.comments import actions
from rumors.comments.forms import CommentForm
from rumors.comments.models import Comment
from rumors.models import Rumor


@require_http_methods(["GET", "HEAD", "POST"])
@staff("rumors.comment")
def comment_rumor(request: StaffRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Rumor.objects.visible_to(request.user), pk=pk)
    rumors.consult(found, by=request.user)
    form = CommentForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        actions.comment(found, text=data["text"], form_id=data["form_id"], by=request.user)
        messages.success(request, pgettext("staff", "Saved."))
        return redirect(f"{found.get_absolute_url()}#comments")
    context = {"rumor": found, "form": form, "title": pgettext("staff", "Comment")}
    return render(request, "rumors/staff/form.html", context, status=422 if form.errors else 200)


@require_POST
@staff("rumors.comment")
def take_comment_back(request: StaffRequest, pk: int) -> HttpResponse:
    visible = Rumor.objects.visible_to(request.user)
    mine = Comment.objects.filter(rumor__in=visible, written_by=request.user)
    found = get_object_or_404(mine.select_related("rumor"), pk=pk)
    rumors.consult(found.rumor, by=request.user)
    actions.take_back(found, by=request.user)
    messages.success(request, pgettext("staff", "Taken back."))
    return redirect(f"{found.rumor.get_absolute_url()}#comments")
