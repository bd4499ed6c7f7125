from typing import final

@final
class Slot: ...
