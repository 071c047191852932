"""The site with Django and Channels: the same views, and a WebSocket that echoes through the channel layer."""

from channels.generic.websocket import AsyncWebsocketConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from django.urls import path
from django_site import asgi


class Echo(AsyncWebsocketConsumer):
    async def connect(self) -> None:
        await self.channel_layer.group_add("room", self.channel_name)
        await self.accept("chat" if "chat" in self.scope["subprotocols"] else None)

    async def disconnect(self, code: int) -> None:
        await self.channel_layer.group_discard("room", self.channel_name)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if text_data == "close":
            await self.close(4001, "as you wish")
        else:
            await self.channel_layer.group_send(
                "room", {"type": "echo", "text": text_data, "data": bytes_data}
            )

    async def echo(self, event: dict) -> None:
        await self.send(event["text"], event["data"])


app = ProtocolTypeRouter({"http": asgi, "websocket": URLRouter([path("ws", Echo.as_asgi())])})
