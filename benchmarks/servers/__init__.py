"""ASGI servers against each other on one core: what is compared (`contenders`), on what (`scenarios`), and how (`load`)."""
