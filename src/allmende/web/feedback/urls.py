"""Addresses of the messages."""

from django.urls import path

from allmende.web.feedback import views

app_name = "feedback"

urlpatterns = [
    path("", views.tell, name="tell"),
    path("thanks/", views.thanks, name="thanks"),
    path("messages/", views.messages, name="messages"),
    path("messages/<int:number>/settled/", views.settle, name="settle"),
]
