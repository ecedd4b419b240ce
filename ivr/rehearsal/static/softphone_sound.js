// What a telephone lets you hear: the house's own recordings one after another, the ring, the beep of a key.
"use strict";

class Speaker {
  constructor() {
    this.audio = new Audio();
    this.turn = 0; // whoever holds the current number may go on playing
    this.tones = null;
  }

  // Plays the sounds in order; `begins(index, audible)` as each begins. Stopped by stop() or the next play().
  async play(sounds, begins) {
    const turn = ++this.turn;
    this.audio.pause();
    for (let index = 0; index < sounds.length && turn === this.turn; index++) {
      await this.#one(sounds[index], turn, (audible) => begins(index, audible));
    }
  }

  stop() {
    this.turn++;
    this.audio.pause();
  }

  async #one(sound, turn, begins) {
    const lasts = sound.seconds * 1000;
    const began = performance.now();
    let audible = false;
    if (sound.url) {
      try {
        this.audio.src = sound.url;
        await this.audio.play();
        audible = true;
      } catch {
        audible = false; // stopped by a key, or the browser plays nothing: the words are on the screen
      }
    }
    if (turn !== this.turn) return;
    begins(audible || !sound.url);
    // The carrier's clock decides how long a sound lasts; the browser follows it.
    const left = lasts - (audible ? this.audio.currentTime * 1000 : performance.now() - began);
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, left)));
  }

  // The ring of a Dutch telephone: 425 Hz, one second in five.
  ring() {
    this.#tone(425, 1, 0.06);
    clearInterval(this.ringing);
    this.ringing = setInterval(() => this.#tone(425, 1, 0.06), 5000);
  }

  quiet() {
    clearInterval(this.ringing);
  }

  key() {
    this.#tone(880, 0.08, 0.04);
  }

  #tone(hertz, seconds, loudness) {
    try {
      this.tones ??= new AudioContext();
      const tone = this.tones.createOscillator();
      const volume = this.tones.createGain();
      tone.frequency.value = hertz;
      volume.gain.value = loudness;
      tone.connect(volume).connect(this.tones.destination);
      tone.start();
      tone.stop(this.tones.currentTime + seconds);
    } catch {
      // A machine without sound rings on the screen only.
    }
  }
}
