"""The yardstick: the least that Django can do."""

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path

settings.configure(SECRET_KEY="bare", ROOT_URLCONF=__name__, MIDDLEWARE=[], ALLOWED_HOSTS=["*"])

PAGE = b"<p>" + b"x" * 20_000 + b"</p>"


def page(request):
    return HttpResponse(PAGE)


urlpatterns = [path("", page)]
application = get_wsgi_application()
