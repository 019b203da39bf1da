// The dots of a map in one of several ways; `move(frame)` zooms and shows them once more.
(n, way) => {
  const node = document.createElement("div");
  document.body.replaceChildren(node);
  const x = new Float32Array(n), y = new Float32Array(n), colour = new Uint16Array(n);
  let state = 1;
  const random = () => (state = (state * 16807) % 2147483647) / 2147483647;
  for (let i = 0; i < n; i += 1) {
    colour[i] = i % 12;
    x[i] = Math.cos(i % 40) * 3 + random() + random() - 1;
    y[i] = Math.sin(i % 40) * 3 + random() + random() - 1;
  }
  const palette = Array.from({ length: 12 }, (_, i) => `rgb(${20 * i} ${250 - 20 * i} 90)`);

  const plotted = () => {
    const plot = new Scatter(node, x, y, colour);
    plot.paint(palette, "white", "black");
    plot.resize(880, 680);
    return plot;
  };
  const ways = {
    ECharts: () => {
      const plot = plotted();
      return (transform) => {
        plot.transform = transform;
        plot.draw();
      };
    },
    "moving ECharts' picture": () => {
      const plot = plotted();
      plot.draw();
      return (transform) => {
        plot.transform = transform;
        plot.move();
      };
    },
    rectangles: () => {
      const plot = plotted();
      const canvas = own();
      const context = canvas.getContext("2d", { alpha: false });
      const groups = palette.map((_, c) => plot.order.filter((i) => colour[i] === c));
      return (transform) => {
        plot.transform = transform;
        const { radius } = plot;
        context.clearRect(0, 0, canvas.width, canvas.height);
        groups.forEach((group, c) => {
          context.fillStyle = palette[c];
          for (const i of group) context.fillRect(...plot.place(i), 2 * radius, 2 * radius);
        });
      };
    },
    WebGL: () => {
      const { bounds, radius } = plotted();
      return points(own(), radius, bounds);
    },
  };

  function own() {
    const canvas = document.createElement("canvas");
    node.replaceWith(canvas);
    return Object.assign(canvas, { width: 880, height: 680 });
  }

  // All points by one call, the least that a library on WebGL must do.
  function points(target, radius, [[x0, x1], [y0, y1]]) {
    const gl = target.getContext("webgl", { antialias: false, alpha: false });
    const program = gl.createProgram();
    const add = (kind, source) => {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    };
    add(gl.VERTEX_SHADER, `attribute vec3 dot; uniform vec3 shown; varying float tone; void main() {
      gl_Position = vec4(dot.xy * shown.x + shown.yz, 0, 1); gl_PointSize = ${(2 * radius).toFixed(1)}; tone = dot.z; }`);
    add(gl.FRAGMENT_SHADER, "precision lowp float; varying float tone; void main() { gl_FragColor = vec4(tone, 1.0 - tone, 0.35, 1); }");
    gl.linkProgram(program);
    gl.useProgram(program);
    gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
    const unit = (value, low, high) => (1.76 * (value - low)) / (high - low) - 0.88;
    const dots = Float32Array.from({ length: 3 * n }, (_, at) => {
      const i = Math.floor(at / 3);
      return [unit(x[i], x0, x1), unit(y[i], y0, y1), colour[i] / 12][at % 3];
    });
    gl.bufferData(gl.ARRAY_BUFFER, dots, gl.STATIC_DRAW);
    const place = gl.getAttribLocation(program, "dot");
    gl.enableVertexAttribArray(place);
    gl.vertexAttribPointer(place, 3, gl.FLOAT, false, 0, 0);
    const shown = gl.getUniformLocation(program, "shown");
    gl.clearColor(1, 1, 1, 1);
    return ({ k }) => {
      gl.clear(gl.COLOR_BUFFER_BIT);
      gl.uniform3f(shown, k, 0, 0);
      gl.drawArrays(gl.POINTS, 0, n);
    };
  }

  const show = ways[way]();
  let k = 1;
  window.move = (frame) => {
    k *= frame % 60 < 30 ? 1.02 : 1 / 1.02;
    show(d3.zoomIdentity.translate(440, 340).scale(k).translate(-440, -340));
  };
}
